package oauth

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A calibration is how the provider answers to one content: what good looks like
// (S), and what wrong looks like (B and A). A test without consent leaves it when
// it proves client ID and secret. It is what gives the one answer of a radar run
// a meaning, so a consent run cannot replace it.
type calibration struct {
	ContentHash string    `json:"hash"`
	Asked       string    `json:"asked"` // keyed hash of how it was asked; see asked
	Time        time.Time `json:"time"`
	Report      string    `json:"report"`
	S           mark      `json:"s"`
	B           *mark     `json:"b,omitempty"` // nil for a public client
	A           mark      `json:"a"`
}

// A mark is what of a reading is kept to be compared with another. It holds no
// text of the provider, only keyed hashes of it.
type mark struct {
	Form   string   `json:"form"`
	Status int      `json:"status"`
	Code   string   `json:"code,omitempty"`
	Vendor string   `json:"vendor,omitempty"`
	Words  string   `json:"words,omitempty"`
	Blames []string `json:"blames,omitempty"` // which of the credentials
}

// calibrations are the last few of each entry, one a content: oauth/calibration/<id>.
var calibrations = store.Table[[]calibration]{Prefix: "oauth/calibration/"}

// keepCalibrations is how many contents of an entry stay calibrated.
const keepCalibrations = 4

var (
	formNames  = map[form]string{formEmpty: "empty", formJSON: "json", formEncoded: "encoded", formPage: "page", formOther: "other", formUnreadable: "unreadable"}
	blameNames = []struct {
		what mention
		name string
	}{{mentionsID, "id"}, {mentionsSecret, "secret"}, {mentionsClient, "client"}}
)

// markOf is what is kept of r.
func markOf(box *secret.Box, r reading) mark {
	keyed := func(text string) string {
		if text == "" {
			return ""
		}
		return hex.EncodeToString(box.MAC("oauth/reading", []byte(text)))
	}
	m := mark{Form: formNames[r.form], Status: r.status, Code: keyed(r.code), Vendor: keyed(r.vendor), Words: keyed(r.words)}
	for _, b := range blameNames {
		if r.about.has(b.what) {
			m.Blames = append(m.Blames, b.name)
		}
	}
	return m
}

// sameForm and same are those of reading.
func (m mark) sameForm(o mark) bool {
	return m.Form == o.Form && m.Status == o.Status && m.Code == o.Code && m.Vendor == o.Vendor
}

func (m mark) same(o mark) bool { return m.sameForm(o) && slices.Equal(m.Blames, o.Blames) }

// readingVersion is raised when a change to the reading of answers makes an
// older calibration mean nothing.
const readingVersion = "2"

// asked tells one way of asking S from every other: another address, method or
// redirect URI may get another answer for the same credentials.
func (r *run) asked() string {
	pkce := ""
	if r.def.OAuth.PKCE {
		pkce = "pkce"
	}
	text := strings.Join([]string{readingVersion, r.ends.Token, r.def.OAuth.ClientAuth.String(), r.redirect, pkce}, "\x00")
	return hex.EncodeToString(r.box.MAC("oauth/asked", []byte(text)))
}

// calibrate keeps what the run has shown of the provider's answers, if that
// proves client ID and secret in the method of the definition.
func (d *diagnosis) calibrate(tx store.Tx) error {
	t := d.tokens
	if t.compare() != accepted || d.base.auth != d.def.OAuth.ClientAuth || d.report.Summary().Credentials() != OK {
		return nil
	}
	c := calibration{ContentHash: d.report.ContentHash, Asked: d.run.asked(), Time: d.report.Started, Report: d.report.ID, S: markOf(d.box, *t.s), A: markOf(d.box, *t.a)}
	if t.b != nil {
		b := markOf(d.box, *t.b)
		c.B = &b
	}
	old, err := getCalibrations(tx, d.report.Entry)
	if err != nil {
		return err
	}
	list := []calibration{c}
	for _, o := range old {
		if o.ContentHash != c.ContentHash && len(list) < keepCalibrations {
			list = append(list, o)
		}
	}
	if err := calibrations.Put(tx, string(d.report.Entry), list); err != nil {
		return err
	}
	return calibrated(tx, d.report.Entry)
}

func getCalibrations(r store.Getter, id config.ID) ([]calibration, error) {
	list, err := calibrations.Get(r, string(id))
	return list, missing(err)
}

// wordy reports whether words alone tell S from a control. Then they have to be
// the very same words: some servers choose theirs at random.
func (c calibration) wordy() bool { return c.S.sameForm(c.A) || c.B != nil && c.S.sameForm(*c.B) }

// weigh says what the answer to S means now, beside those of the calibration. It
// is pure. One answer that is not known from then decides nothing.
func (c calibration) weigh(box *secret.Box, r reading) (Verdict, RadarReason) {
	switch {
	case !r.isAnswer():
		return Inconclusive, RadarSilent
	case r.class == issued:
		return Inconclusive, RadarOther
	}
	now, like := markOf(box, r), mark.same
	if c.wordy() {
		like = func(a, b mark) bool { return a.same(b) && a.Words == b.Words }
	}
	likeS, likeA, likeB := like(now, c.S), like(now, c.A), c.B != nil && like(now, *c.B)
	switch {
	case likeS && !likeA && !likeB:
		return OK, RadarAsBefore
	case likeS:
		return Inconclusive, RadarOther
	case likeA && likeB, likeA && c.B == nil:
		return Wrong, RadarEither
	case likeB:
		return Wrong, RadarAsCorrupted
	case likeA:
		return Wrong, RadarAsMadeUp
	case r.saysExpired():
		return Wrong, RadarExpired
	}
	return Inconclusive, RadarOther
}
