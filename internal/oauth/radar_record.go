package oauth

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/store"
)

// A radarRecord is what the radar knows of an entry: oauth/radar/<id>.
type radarRecord struct {
	Due         time.Time   `json:"due"`               // its next turn
	Version     int         `json:"version,omitempty"` // that Last is about
	ContentHash string      `json:"hash,omitempty"`
	Verdict     Verdict     `json:"verdict"`           // OK or Wrong: what the last run that decided said. NotChecked: none did
	Why         RadarReason `json:"why,omitzero"`      // of Verdict
	Since       time.Time   `json:"since,omitzero"`    // the first of the runs in a row that said so
	Said        time.Time   `json:"said,omitzero"`     // the last of them
	Last        radarLast   `json:"last,omitzero"`     // whatever it said
	Against     string      `json:"against,omitempty"` // report that left the calibration of Last
}

type radarLast struct {
	Time    time.Time   `json:"time"`
	Verdict Verdict     `json:"verdict"`
	Why     RadarReason `json:"why"`
}

var radars = store.Table[radarRecord]{Prefix: "oauth/radar/"}

// radarGeneration rises whenever a record of the radar changes.
const radarGeneration = "oauth/radar-generation"

func getRadarRecord(r store.Getter, id config.ID) (radarRecord, error) {
	rec, err := radars.Get(r, string(id))
	return rec, missing(err)
}

func putRadar(tx store.Tx, id config.ID, rec radarRecord) error {
	return errors.Join(radars.Put(tx, string(id), rec), raiseCounter(tx, radarGeneration))
}

// after is the record after a turn. A turn that decided nothing takes nothing
// from what was known of the same content.
func (rec radarRecord) after(x *radarTurn) radarRecord {
	out := radarRecord{Due: x.due, Version: x.Version, ContentHash: x.hash, Last: radarLast{x.at, x.Verdict, x.Why}, Against: x.calibration.Report}
	if rec.ContentHash == x.hash {
		out.Verdict, out.Why, out.Since, out.Said = rec.Verdict, rec.Why, rec.Since, rec.Said
	}
	if x.Verdict == OK || x.Verdict == Wrong {
		if out.Verdict != x.Verdict {
			out.Since = x.at
		}
		out.Verdict, out.Why, out.Said = x.Verdict, x.Why, x.at
	}
	return out
}

// known is what is known of the credentials with this content, from the radar or
// from a test, whichever is newer: OK, Wrong or NotChecked.
func (rec radarRecord) known(hash string, tests []Summary) Verdict {
	test, at := testOf(hash, tests)
	if rec.ContentHash == hash && rec.Said.After(at) {
		return rec.Verdict
	}
	return test
}

// testOf is what the last test that tells says of the credentials with this
// content, and when it was.
func testOf(hash string, tests []Summary) (Verdict, time.Time) {
	for _, t := range tests {
		if t.ContentHash == hash && tells(t) && !weak(t) {
			return t.Credentials(), t.Started
		}
	}
	return NotChecked, time.Time{}
}

// Credentials is what the run says of client ID and secret together: Wrong if
// one of them is, OK if neither is open, else NotChecked. The secret of a public
// client is not checked, and is not needed.
func (s Summary) Credentials() Verdict {
	by := map[Field]Verdict{}
	for _, f := range s.Fields {
		by[f.Field] = f.Verdict
	}
	id, sec := by[ClientID], by[ClientSecret]
	switch {
	case id == Wrong || sec == Wrong:
		return Wrong
	case id == OK && (sec == OK || sec == NotChecked):
		return OK
	}
	return NotChecked
}

// calibrated tells the radar's record that its entry has been calibrated, so that
// no page goes on asking for it.
func calibrated(tx store.Tx, id config.ID) error {
	rec, err := getRadarRecord(tx, id)
	if err != nil || rec.Last.Why != RadarNotCalibrated {
		return err
	}
	rec.Last = radarLast{}
	return putRadar(tx, id, rec)
}

// deleteRadar is what deleting an entry takes along.
func deleteRadar(tx store.Tx, id config.ID) error {
	calibrations.Delete(tx, string(id))
	if rec, err := getRadarRecord(tx, id); err != nil || rec.Due.IsZero() {
		return err
	}
	radars.Delete(tx, string(id))
	return raiseCounter(tx, radarGeneration)
}

// missing is err, but nil for a record that is not there.
func missing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func readCounter(r store.Getter, key string) (int64, error) {
	b, err := r.Get(key)
	if err = missing(err); err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(cmp.Or(string(b), "0"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is damaged: %q is no number", key, b)
	}
	return n, nil
}

func raiseCounter(tx store.Tx, key string) error {
	n, err := readCounter(tx, key)
	if err != nil {
		return err
	}
	tx.Put(key, []byte(strconv.FormatInt(n+1, 10)))
	return nil
}

// overlay is the check of what is in force after the radar had its say: a
// version that it saw refused is Broken, until a test that decides or the radar
// itself says otherwise. An OK of the radar changes nothing.
func (rec radarRecord) overlay(c Check, e config.Entry) Check {
	tested := c.Last.Started
	if c.Other || weak(c.Last) {
		tested = time.Time{}
	}
	if rec.Verdict != Wrong || rec.ContentHash != e.CurrentHash || e.Current == 0 || !rec.Said.After(tested) {
		return c
	}
	s := Summary{Version: e.Current, ContentHash: e.CurrentHash, Kind: Diagnosis, Started: rec.Said, By: radarName, Verdict: Wrong, Headline: rec.Why.Headline()}
	for _, f := range rec.Why.fields() {
		s.Fields = append(s.Fields, FieldVerdict{Field: f, Verdict: Wrong})
	}
	return Check{Standing: Broken, Last: s, Radar: true, Before: c.Last}
}
