package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// A flash is what the next page says in a toast: one of a fixed set of
// sentences with a number in it, and the event that is the record of it. It
// travels in a cookie, so that a redirect carries no words in its address and
// costs no write.
type flash struct {
	said  said
	n     int
	event int64 // its number in the audit log, and one more; 0 for none
}

type said int

const (
	saidNothing said = iota
	saidPending
	saidForce
	saidPromoted
	saidRolledBack
	saidDiscarded
	saidDeleted
	saidPassword
	saidTrimmedPending
	saidTrimmedForce
	saidSetUp
	saidRadarPaused
	saidRadarResumed
	saidCleanedPending
	saidCleanedForce
	saidOutside
	saidTicked
	saidUnticked
	saidKind
	saidChecked
	saidDrafted
	saidReplayed
	saidReplayFailed
	saidTestSent
	saidWithdrawn
	saidGrant
	saidDisabled
	saidEnabled
	saidJoined
	saidEnded
	saidFactorRemoved
	saidLogChecked
	saidBackedUp
	saidBackingUp
	saidSignInForce
	saidSignInDropped
	saidSignInOff
	saidUnlinked
	saidApproved
	saidRejected
	saidRule
	saidRotationBegun
	saidRotationEnded
	saidRetired
	saidExpiry
	saidCalendarEnded
	saidImported
	saidImportDropped
	saidKeyMade
	saidResealing
	saidKeyRetired
	saidFactorAdded
	saidPasskeyAdded
	saidPasskeyRenamed
	saidPasskeyRemoved
)

// sentences are formats with one number, or none.
var sentences = map[said]string{
	saidPending:        "Saved as version %d, pending",
	saidForce:          "Version %d is saved and in force",
	saidPromoted:       "Version %d is in force",
	saidRolledBack:     "Rolled back: version %d is in force",
	saidDiscarded:      "Version %d is discarded",
	saidDeleted:        "The entry is deleted",
	saidPassword:       "Your password is changed",
	saidTrimmedPending: "Saved as version %d, pending. Spaces at the end of a value were removed",
	saidTrimmedForce:   "Version %d is saved and in force. Spaces at the end of a value were removed",
	saidCleanedPending: "Saved as version %d, pending. Invisible characters were removed from a value",
	saidCleanedForce:   "Version %d is saved and in force. Invisible characters were removed from a value",
	saidSetUp:          "Welcome. You are the first owner of this instance",
	saidRadarPaused:    "The radar is paused",
	saidRadarResumed:   "The radar goes on",
	saidOutside:        "The public address is checked",
	saidTicked:         "The step is ticked",
	saidUnticked:       "The tick is taken back",
	saidKind:           "The kind of app is saved",
	saidChecked:        "The checklist is saved",
	saidDrafted:        "The drafts are saved",
	saidReplayed:       "Sent again: the answer is %d",
	saidReplayFailed:   "Sent again, and no answer came",
	saidLogChecked:     "The whole log is being checked",
	saidRotationBegun:  "The answer is saved",
	saidRotationEnded:  "The rotation is over",
	saidRetired:        "Version %d is retired",
	saidExpiry:         "The date is saved",
	saidCalendarEnded:  "The calendar address is withdrawn",
	saidKeyMade:        "A new key seals, and everything else is being sealed anew",
	saidResealing:      "Everything is being sealed anew",
	saidKeyRetired:     "The key is retired",
	saidTestSent:       "The test notification arrived and was accepted",
	saidWithdrawn:      "The invitation is withdrawn",
	saidGrant:          "The role is changed",
	saidDisabled:       "The account is disabled, and its sessions have ended",
	saidEnabled:        "The account can sign in again",
	saidEnded:          "Ended",
	saidFactorRemoved:  "The second factor is removed",
	saidFactorAdded:    "The app is set up. Your recovery codes stay as they are",
	saidPasskeyAdded:   "The passkey is added. Your recovery codes stay as they are",
	saidPasskeyRenamed: "The passkey has another name",
	saidPasskeyRemoved: "The passkey is removed",
	saidBackedUp:       "The backup is made",
	saidBackingUp:      "The backup is being made",
	saidSignInForce:    "The sign-in provider is in force",
	saidSignInDropped:  "The saved setting is discarded",
	saidSignInOff:      "The sign-in provider is off",
	saidUnlinked:       "The account is unlinked, and its sessions have ended",
	saidApproved:       "Version %d is approved",
	saidRejected:       "Version %d is rejected",
	saidRule:           "The rule is changed",
	saidImported:       "Imported: %d entries",
	saidImportDropped:  "The import is discarded; nothing was changed",
	saidJoined:         "Welcome. Your account is ready",
}

func (f flash) words() string {
	s := sentences[f.said]
	if strings.Contains(s, "%d") {
		return fmt.Sprintf(s, f.n)
	}
	return s
}

func (g gate) flashName() string {
	if g.Site.Secure() {
		return "__Host-backoffice-said"
	}
	return "backoffice-said"
}

func (g gate) setFlash(c echo.Context, f flash) {
	c.SetCookie(g.cookie(g.flashName(), fmt.Sprintf("%d.%d.%d", f.said, f.n, f.event), 60))
}

// takeFlash returns what the page before asked this one to say, once, and where
// the record of it is.
func (g gate) takeFlash(c echo.Context) (words, record string) {
	k, err := c.Cookie(g.flashName())
	if err != nil {
		return "", ""
	}
	c.SetCookie(g.cookie(g.flashName(), "", -1))
	code, rest, _ := strings.Cut(k.Value, ".")
	number, event, _ := strings.Cut(rest, ".")
	s, err1 := strconv.Atoi(code)
	n, err2 := strconv.Atoi(number)
	if err1 != nil || err2 != nil || n < 0 {
		return "", ""
	}
	if e, err := strconv.ParseInt(event, 10, 64); err == nil && e > 0 {
		record = eventURL(e - 1)
	}
	return flash{said: said(s), n: n}.words(), record
}

// recordOf finds the event that this request has written, for who may see it. A
// toast without its link is better than a change that seems to have failed.
func (g gate) recordOf(c echo.Context) int64 {
	v := visitOf(c)
	if !v.signedIn || !g.allows(c, auditPermission) {
		return 0
	}
	n, ok, err := g.Audit.OfRequest(c.Request().Context(), v.requestID)
	if err != nil {
		g.Log.Warn("looking for the event of a change", "request", v.requestID, "error", err)
	}
	if err != nil || !ok {
		return 0
	}
	return n + 1
}

func (g gate) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: g.Site.Secure(), SameSite: http.SameSiteLaxMode}
}
