package audit

import (
	"fmt"
	"time"
)

// An Action is what was done. Its text is stored and is never renamed.
type Action string

// The actions, by the room that records them.
const (
	Setup           Action = "account.setup"
	SignIn          Action = "session.sign-in"
	SignInFailed    Action = "session.sign-in-failed"
	SignOut         Action = "session.sign-out"
	PasswordChanged Action = "account.password"
	AccessRefused   Action = "access.refused"

	SessionEnded   Action = "session.end"
	FactorAdded    Action = "account.factor-add"
	FactorRemoved  Action = "account.factor-remove"
	RecoveryMade   Action = "account.recovery"
	PasskeyAdded   Action = "account.passkey-add"
	PasskeyRenamed Action = "account.passkey-rename"
	PasskeyRemoved Action = "account.passkey-remove"
	PasskeyStopped Action = "account.passkey-stop"
	Confirmed      Action = "session.confirm"
	CalendarMade   Action = "account.calendar"
	CalendarEnded  Action = "account.calendar-withdraw"
	PersonInvited  Action = "account.invite"
	InviteWithdrew Action = "account.invite-withdraw"
	PersonJoined   Action = "account.join"
	GrantChanged   Action = "account.grant"
	PersonDisabled Action = "account.disable"
	PersonEnabled  Action = "account.enable"

	IdentityLinked   Action = "account.link"
	IdentityUnlinked Action = "account.unlink"
	SignInSaved      Action = "settings.sign-in-save"
	SignInInForce    Action = "settings.sign-in-force"
	SignInDropped    Action = "settings.sign-in-discard"
	SignInOff        Action = "settings.sign-in-off"
	SignInTested     Action = "settings.sign-in-test"

	EntryCreated    Action = "entry.create"
	EntrySaved      Action = "entry.save"
	EntryPromoted   Action = "entry.promote"
	EntryRolledBack Action = "entry.roll-back"
	EntryDiscarded  Action = "entry.discard"
	EntryDeleted    Action = "entry.delete"
	EntriesExported Action = "entries.export"
	EntriesImported Action = "entries.import"
	SecretsExported Action = "secret.export"
	EntryRetired    Action = "entry.retire"
	EntryReverted   Action = "entry.revert"
	WatchEnded      Action = "entry.watch-end"
	ExpirySet       Action = "entry.expiry"
	RotationBegun   Action = "rotation.begin"
	RotationEnded   Action = "rotation.end"
	SecretRevealed  Action = "secret.reveal"
	SecretCompared  Action = "secret.compare"

	EntryApproved     Action = "entry.approve"
	EntryRejected     Action = "entry.reject"
	ApprovalWithdrawn Action = "entry.withdraw"
	RuleChanged       Action = "entry.rule"
	InstanceRule      Action = "settings.approval"

	TestStarted  Action = "test.start"
	TestFinished Action = "test.finish"
	TokenTested  Action = "test.token"
	Diagnosing   Action = "test.diagnose"
	Diagnosed    Action = "test.verdict"
	RadarAsked   Action = "radar.ask"
	RadarTurned  Action = "radar.turned"
	RadarPaused  Action = "radar.pause"
	RadarResumed Action = "radar.resume"
	CaseExported Action = "test.export"

	NotificationReplayed Action = "webhook.replay"
	NotificationTested   Action = "webhook.test"

	OutsideChecked Action = "settings.outside-in"

	GuideTicked   Action = "guide.tick"
	GuideSkipped  Action = "guide.skip"
	GuideUnticked Action = "guide.untick"
	GuideKind     Action = "guide.kind"
	GuideChecked  Action = "guide.check"
	GuideDrafted  Action = "guide.draft"
	LogExported   Action = "audit.export"
	LogArchived   Action = "audit.archive"
	LogLooked     Action = "audit.look"
	LogChecked    Action = "audit.check"
	BackupMade    Action = "backup.make"
	BackupTaken   Action = "backup.take"
	Restored      Action = "backup.restore"

	ClockWentBack Action = "clock.back"
	KeyRotated    Action = "key.rotate"
	KeyResealed   Action = "key.reseal"
	KeyRetired    Action = "key.retire"
)

// titles has every Action: what it is called on a page.
var titles = map[Action]string{
	Setup:           "Set up the first admin",
	SignIn:          "Signed in",
	SignInFailed:    "Failed to sign in",
	SignOut:         "Signed out",
	PasswordChanged: "Changed the password",
	AccessRefused:   "Was refused",
	SessionEnded:    "Ended sessions",
	FactorAdded:     "Set up a second factor",
	FactorRemoved:   "Removed a second factor",
	RecoveryMade:    "Made recovery codes",
	PasskeyAdded:    "Added a passkey",
	PasskeyRenamed:  "Renamed a passkey",
	PasskeyRemoved:  "Removed a passkey",
	PasskeyStopped:  "Stopped a passkey",
	Confirmed:       "Confirmed who it is",
	PersonInvited:   "Invited",
	InviteWithdrew:  "Withdrew an invitation",
	PersonJoined:    "Joined",
	GrantChanged:    "Changed a role",
	PersonDisabled:  "Disabled an account",
	PersonEnabled:   "Enabled an account",
	IdentityLinked:  "Linked an account to the sign-in provider",
	SignInSaved:     "Saved a sign-in provider, not in force",
	SignInInForce:   "Put a sign-in provider in force",
	SignInDropped:   "Discarded a sign-in provider",
	SignInOff:       "Turned the sign-in provider off",
	SignInTested:    "Tested the sign-in provider",

	IdentityUnlinked: "Unlinked an account from the sign-in provider",

	EntryCreated:    "Created the entry",
	EntrySaved:      "Saved a version",
	EntryPromoted:   "Put a version in force",
	EntryRolledBack: "Rolled back",
	EntryDiscarded:  "Discarded the pending version",
	EntryDeleted:    "Deleted the entry",
	EntriesExported: "Exported entries",
	EntriesImported: "Imported entries",
	SecretsExported: "Exported sealed secrets",
	EntryRetired:    "Retired the previous version",
	EntryReverted:   "Went back by itself",
	WatchEnded:      "Ended the watch over a promotion",
	ExpirySet:       "Said when a secret expires",
	RotationBegun:   "Began to replace the client secret",
	RotationEnded:   "Ended the replacement of the client secret",
	CalendarMade:    "Made a calendar address",
	CalendarEnded:   "Withdrew the calendar address",
	SecretRevealed:  "Revealed a secret",
	SecretCompared:  "Compared a paste",
	TestStarted:     "Started a consent run",
	Diagnosing:      "Started a test without consent",
	Diagnosed:       "Tested without consent",
	TestFinished:    "Tested the connection",
	TokenTested:     "Tested an access token",
	RadarAsked:      "Asked by radar",
	RadarTurned:     "Changed the radar's verdict",
	RadarPaused:     "Paused the radar",
	RadarResumed:    "Resumed the radar",
	CaseExported:    "Exported a case file",
	OutsideChecked:  "Checked the public address",
	GuideTicked:     "Ticked a step of the set-up",
	GuideSkipped:    "Said that a step is not needed",
	GuideUnticked:   "Took back the tick of a step",
	GuideKind:       "Chose the kind of app",
	GuideChecked:    "Went through a checklist",
	GuideDrafted:    "Wrote a draft of the listing",

	EntryApproved:     "Approved the pending version",
	EntryRejected:     "Rejected the pending version",
	ApprovalWithdrawn: "Withdrew an approval",
	RuleChanged:       "Changed the approval rule",
	InstanceRule:      "Changed the approval rule of the instance",

	NotificationReplayed: "Replayed a notification",
	NotificationTested:   "Sent a test notification",
	LogExported:          "Exported the audit log",
	LogArchived:          "Archived old events of the audit log",
	LogLooked:            "Looked at the audit log",
	LogChecked:           "Had the audit log checked",
	BackupMade:           "Made a backup",
	BackupTaken:          "Took a backup away",
	Restored:             "Restored a backup",
	ClockWentBack:        "Went back",
	KeyRotated:           "Changed the key that seals",
	KeyResealed:          "Sealed everything anew",
	KeyRetired:           "Retired a key",
}

// Title is the action in words, past tense, without its target.
func (a Action) Title() string { return titles[a] }

// ParseAction returns the action that s names, and refuses any other text.
func ParseAction(s string) (Action, error) {
	if _, ok := titles[Action(s)]; !ok {
		return "", fmt.Errorf("unknown action %q", s)
	}
	return Action(s), nil
}

// Actions lists all actions in the order of their text.
func Actions() []Action {
	return sortedKeys(titles)
}

// An Outcome is how an action ended.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Failed  Outcome = "failed"
	Refused Outcome = "refused"
)

// ParseOutcome returns the outcome that s names, and refuses any other text.
func ParseOutcome(s string) (Outcome, error) {
	switch o := Outcome(s); o {
	case Done, Failed, Refused:
		return o, nil
	}
	return "", fmt.Errorf("unknown outcome %q", s)
}

// An Actor is who did it: a person by the id and the e-mail address of the
// account, the address the request came from, and the id under which the
// request is in the log. ID and Name are empty where nobody is signed in.
type Actor struct {
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Addr      string `json:"addr,omitempty"`
	RequestID string `json:"request,omitempty"`
}

// A Change is one key that an action changed. Before and After are fingerprints
// or names of labels: what may be read by anybody who may read the log. An
// empty one means that there was or is no value.
type Change struct {
	Key    string `json:"key"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// An Event is one line of the log. Its JSON is the leaf of the tree, so a field
// may be added (with omitempty) but never renamed. It holds no secret: values
// appear as fingerprints.
type Event struct {
	N       int64     `json:"n"` // set by Append: the number of events before it
	Time    time.Time `json:"time"`
	Actor   Actor     `json:"actor"`
	Action  Action    `json:"action"`
	Target  string    `json:"target,omitempty"` // an entry's id or an account's address
	Version int       `json:"version,omitempty"`
	Outcome Outcome   `json:"outcome"`
	Reason  string    `json:"reason,omitempty"` // what the person gave as reason
	Changes []Change  `json:"changes,omitempty"`
	Note    string    `json:"note,omitempty"` // what the program adds, in words
}

// check refuses an event that could not be found again.
func (e Event) check() error {
	if _, err := ParseAction(string(e.Action)); err != nil {
		return err
	}
	if _, err := ParseOutcome(string(e.Outcome)); err != nil {
		return err
	}
	if e.Time.IsZero() {
		return fmt.Errorf("event %q has no time", e.Action)
	}
	return nil
}
