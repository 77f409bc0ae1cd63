package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/egress"
	"backoffice/internal/store/bolt"

	"golang.org/x/time/rate"
)

// The check of the whole log runs beside the work: at this speed it takes some
// hundredths of a processor, and a million events take three minutes.
const (
	checkSpeed = 5000   // events a second
	checkBurst = 1000   // events
	checkRest  = 20_000 // events after which what was read is let go of
	checkEvery = 24 * time.Hour
)

// watchOf puts together what works on the log in db beside the changes.
func watchOf(c checked, db *bolt.DB, n *audit.Notary, archive *audit.Archive, guard *egress.Guard, stdout io.Writer) (audit.Watch, error) {
	key, err := audit.ParseKey(n.Key())
	if err != nil {
		return audit.Watch{}, err
	}
	var places []audit.Place
	if c.AnchorFile != "" {
		places = append(places, audit.FilePlace(c.AnchorFile, key))
	}
	if c.anchors != nil {
		places = append(places, urlPlace(c.anchors, guard.Client(egress.CallOptions{})))
	}
	w := audit.Watch{Notary: n, Anchors: audit.NewAnchors(n, places...)}
	w.Checker = audit.NewChecker(audit.CheckerOptions{Notary: n, Kept: w.Anchors.Kept, Wait: paced(db)})
	switch c.AuditShip {
	case "":
	case "stdout":
		w.Shipper = audit.NewShipper(db, audit.Destination{Name: "stdout", Write: func(b []byte) error { _, err := stdout.Write(b); return err }})
	default:
		w.Shipper = audit.NewShipper(db, audit.FileDestination(c.AuditShip))
	}
	if c.AuditKeepDays > 0 {
		w.Archiver = audit.NewArchiver(audit.ArchiverOptions{Notary: n, Archive: archive, Keep: time.Duration(c.AuditKeepDays) * 24 * time.Hour, Shipper: w.Shipper, Rest: restful})
	}
	return w, nil
}

// paced holds a check back, and lets go of what it has read: it goes through the
// whole file, which would else be counted as memory of this program.
func paced(db *bolt.DB) func(context.Context, int) error {
	pace, read := rate.NewLimiter(checkSpeed, checkBurst), 0
	return func(ctx context.Context, events int) error {
		if read += events; read > checkRest {
			read = 0
			db.Rest()
		}
		return pace.WaitN(ctx, events)
	}
}

// restful leaves changes four fifths of the time between two transactions that
// drop archived events.
func restful(ctx context.Context, worked time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(4*worked, time.Second)):
		return nil
	}
}

// urlPlace posts each head, as the note that it is, to an address. The address
// may hold a token, so that people see no more of it than the host.
func urlPlace(u *url.URL, client *http.Client) audit.Place {
	return audit.Place{Name: "address " + u.Scheme + "://" + u.Host, Push: func(ctx context.Context, c audit.Checkpoint) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(c.Note))
		if err != nil {
			return errors.New("the address cannot be called") // the cause would quote it
		}
		req.Header.Set("Content-Type", "text/plain; charset=utf-8")
		resp, err := egress.Do(client, req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode < 200 || resp.StatusCode > 299 {
			return fmt.Errorf("%s answered %d to a head of the audit log", u.Host, resp.StatusCode)
		}
		return nil
	}}
}

// watchLog signs, checks, anchors and ships the log until ctx ends.
func watchLog(ctx context.Context, w audit.Watch, db *bolt.DB, log *slog.Logger) {
	var all sync.WaitGroup
	all.Go(func() { w.Notary.Run(ctx, func(err error) { log.Error("signing the audit log", "error", err) }) })
	all.Go(func() {
		w.Anchors.Run(ctx, func(place string, err error) {
			var alarm *audit.Fault
			if errors.As(err, &alarm) {
				log.Error("ALARM: the audit log is not what was anchored", "place", place, "error", err)
				return
			}
			log.Warn("anchoring the audit log", "place", place, "error", err)
		})
	})
	all.Go(func() { checkLog(ctx, w.Checker, db.Rest, log) })
	if w.Shipper != nil {
		all.Go(func() { w.Shipper.Run(ctx, func(err error) { log.Warn("shipping the audit log", "error", err) }) })
	}
	if w.Archiver != nil {
		all.Go(func() { w.Archiver.Run(ctx, func(err error) { log.Error("archiving the audit log", "error", err) }) })
	}
	all.Wait()
}

// checkLog goes over the whole log at start, once a day, and when somebody asks.
func checkLog(ctx context.Context, c *audit.Checker, rest func(), log *slog.Logger) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		began := time.Now()
		err := c.Run(ctx)
		rest()
		switch {
		case ctx.Err() != nil:
			return
		case c.State().Fault != "":
			log.Error("ALARM: the audit log was changed after it was written", "error", err)
		case err != nil:
			log.Error("checking the audit log", "error", err)
		default:
			if n := c.State().Unread; n > 0 {
				log.Warn("archive files of the audit log are missing: of their events, only the hashes were checked", "events", n)
			}
			log.Info("the audit log was checked", "events", c.State().Done, "took", time.Since(began).Round(time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-c.Asked():
		}
	}
}

// anchorAddress reads --audit-anchor-url. Its errors do not quote it.
func anchorAddress(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("--audit-anchor-url is no web address without a user and a fragment. Write it as https://anchors.example.com/backoffice")
	}
	return u, nil
}

// auditFiles are the faults of the files that the log is brought to.
func auditFiles(s settings) []error {
	var faults []error
	for flag, path := range map[string]string{"--audit-anchor-file": s.AnchorFile, "--audit-ship": s.AuditShip} {
		if path == "" || flag == "--audit-ship" && path == "stdout" {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			faults = append(faults, fmt.Errorf("%s is %q, which is a directory. Name a file in it", flag, path))
		}
		if abs, err := filepath.Abs(path); err == nil && (abs == absolute(filepath.Join(s.Data, "backoffice.db")) || abs == absolute(s.KeyFile)) {
			faults = append(faults, fmt.Errorf("%s is %q, which is the data or the key. Name another file", flag, path))
		}
	}
	return faults
}

// archiveIn is the archive in a directory, or nil without one.
func archiveIn(dir string) *audit.Archive {
	if dir == "" {
		return nil
	}
	return audit.OpenArchive(dir)
}

// archiveDir finds fault with the directory of the archive. It may be a mount that
// comes later.
func archiveDir(s settings) error {
	if s.AuditArchive == "" && s.AuditKeepDays > 0 {
		return errors.New("--audit-keep-days is set, and --audit-archive is not. Name a directory for the events that are older")
	}
	if info, err := os.Stat(s.AuditArchive); err == nil && !info.IsDir() {
		return fmt.Errorf("--audit-archive is %q, which is no directory. Name one", s.AuditArchive)
	}
	return nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); path != "" && err == nil {
		return abs
	}
	return ""
}
