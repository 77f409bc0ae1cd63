package oauth

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
)

// product is who writes a case file.
const product = "BackOffice"

// About is what a case file says of the program that wrote it.
type About struct {
	Version     string // of the program
	Environment string // "production"
	PublicURL   string
}

// A caseFile is a report behind its veil, with what is said around it.
type caseFile struct {
	report  Report
	about   About
	pace    Limits
	timeout time.Duration // of a call; 0 means the default
}

// CaseFile returns a report as a zip of two files that is safe to give away: a
// Markdown text and a HAR 1.2 log. The same report gives the same bytes. The
// export is an event, and nothing is given out unless that is committed.
//
// It returns an errs.NotFound if the report is not kept, and an errs.Internal
// with words if a finished file has a secret of the entry in it: that is a bug,
// and nothing is given out then.
func (s *Service) CaseFile(ctx context.Context, by audit.Actor, ref Ref, about About) (name string, archive []byte, err error) {
	r, err := s.Report(ctx, ref.Entry, ref.Report)
	if err != nil {
		return "", nil, err
	}
	known, err := s.secretsOf(ctx, r)
	if err != nil {
		return "", nil, err
	}
	c := caseFile{report: newVeil(s.box, r, known.clientIDs...).report(r), about: about, pace: s.limits, timeout: s.timeout}
	name = fileStem(r) + ".zip"
	archive, err = c.archive()
	if err == nil {
		err = known.refuse(c, name, archive)
	}
	e := audit.Event{Time: s.now().UTC(), Actor: by, Action: audit.CaseExported, Target: string(r.Entry), Version: r.Version, Outcome: audit.Done,
		Note: "The run of " + r.Started.UTC().Format("2006-01-02 15:04:05") + " UTC."}
	if err != nil {
		e.Outcome = audit.Failed
	}
	if err := errors.Join(err, audit.Record(ctx, s.store, e)); err != nil {
		return "", nil, fmt.Errorf("exporting a report of %s: %w", r.Entry, err)
	}
	return name, archive, nil
}

// archive is both files in a zip, with the time of the run as theirs.
func (c caseFile) archive() ([]byte, error) {
	log, err := harOf(c).encode()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []struct {
		ending string
		text   []byte
	}{{".md", []byte(markdownOf(c))}, {".har", log}} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: fileStem(c.report) + f.ending, Method: zip.Deflate, Modified: c.report.Started.UTC()})
		if err == nil {
			_, err = w.Write(f.text)
		}
		if err != nil {
			return nil, fmt.Errorf("packing a case file: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("packing a case file: %w", err)
	}
	return b.Bytes(), nil
}

// fileStem is a name that every file system takes.
func fileStem(r Report) string {
	id := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
			return c
		}
		return '-'
	}, string(r.Entry))
	return "backoffice-" + id + "-" + r.Started.UTC().Format("20060102-150405")
}

// refuse reads a finished archive again, as whoever gets it will, and returns an
// error if a secret is in it.
func (k knownSecrets) refuse(c caseFile, name string, archive []byte) error {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return fmt.Errorf("reading a case file again: %w", err)
	}
	search := k.but(c.skeleton())
	found := search.in("name", name)
	for _, f := range z.File {
		text, err := contentOf(f)
		if err != nil {
			return fmt.Errorf("reading a case file again: %w", err)
		}
		found = errors.Join(found, search.in("name", f.Name), search.in(f.Name[strings.LastIndexByte(f.Name, '.'):]+" file", text))
	}
	if found == nil {
		return nil
	}
	return errs.Wrap(errs.Internal, "The case file was not made: the search of the finished files found what looks like a secret of this entry. "+
		"That is a bug in this program, so please report it. Nothing was given out.", found)
}

func contentOf(f *zip.File) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// skeleton is the case file of a run that says nothing: our own words.
func (c caseFile) skeleton() string {
	empty := caseFile{report: Report{Kind: c.report.Kind, Fields: []FieldVerdict{}}, pace: c.pace, timeout: c.timeout}
	for _, f := range c.report.Kind.Fields() {
		empty.report.Fields = append(empty.report.Fields, FieldVerdict{Field: f})
	}
	log, _ := harOf(empty).encode() // without it there are fewer words to skip
	names := append(slices.Collect(maps.Keys(shownNames)), requestParams...)
	return markdownOf(empty) + string(log) + strings.Join(names, " ") + " authorization_code"
}
