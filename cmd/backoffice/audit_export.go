package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/store/bolt"
)

// auditExportCommand is "backoffice audit export".
type auditExportCommand struct {
	dataSettings
	File    string `arg:"" help:"File to make. It must not exist yet."`
	CSV     bool   `name:"csv" help:"Write a table for a spreadsheet, which proves nothing, instead of a zip that can be verified."`
	Who     string `help:"Only events of the account with this address." placeholder:"ADDRESS"`
	Action  string `help:"Only events of this action, as entry.save." placeholder:"ACTION"`
	Target  string `help:"Only events about this entry or account." placeholder:"ID"`
	Outcome string `help:"Only events with this outcome: done, failed or refused." placeholder:"OUTCOME"`
	From    string `help:"Only events from this time on: 2026-09-17, or 2026-09-17T14:30:00Z." placeholder:"TIME"`
	To      string `help:"Only events before this time." placeholder:"TIME"`
	Live    bool   `help:"Only events that are not in archive files, of which those are then checked together with this file."`
}

// Help says what is in the file.
func (e *auditExportCommand) Help() string {
	return "The program must be stopped. The zip has the exact bytes of the events, a signed head, and what proves that they are in its tree; backoffice audit verify checks it anywhere. The export is itself an event."
}

// Run writes the file.
func (e *auditExportCommand) Run(ctx context.Context, con console) error {
	filter, err := e.filter()
	if err != nil {
		return err
	}
	if e.Live && (e.CSV || !filter.All()) {
		return errors.New("--live is for an export of everything that is live. Leave --csv and the filters out")
	}
	return e.with(ctx, con, func(db *bolt.DB, n *audit.Notary) error {
		x := audit.Exporting{Filter: filter, Note: "On the console of the server.", Live: e.Live}
		err := newFile(e.File, func(w io.Writer) error {
			if e.CSV {
				return audit.NewLog(db).With(archiveIn(e.Archive)).CSV(ctx, w, x, time.Now())
			}
			m, err := n.Export(ctx, w, x)
			if err == nil {
				fmt.Fprintf(con.out, "%s in %s. Check them with: backoffice audit verify %s --key %s\n", plural(m.Events, "event"), e.File, e.File, n.Key())
			}
			return err
		})
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%s is there already. Name another file", e.File)
		}
		return err
	})
}

// newFile has f write a file that must not exist yet. What is not whole is removed.
func newFile(path string, f func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	if err = f(w); err == nil {
		err = w.Flush()
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func (e *auditExportCommand) filter() (f audit.Filter, err error) {
	f = audit.Filter{Who: e.Who, Target: e.Target}
	if e.Action != "" {
		if f.Action, err = audit.ParseAction(e.Action); err != nil {
			return f, fmt.Errorf("--action: %w", err)
		}
	}
	if e.Outcome != "" {
		if f.Outcome, err = audit.ParseOutcome(e.Outcome); err != nil {
			return f, fmt.Errorf("--outcome: %w. Use done, failed or refused", err)
		}
	}
	if f.From, err = readTime("--from", e.From); err != nil {
		return f, err
	}
	f.To, err = readTime("--to", e.To)
	return f, err
}

func readTime(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is %q, which is no time. Write it as 2026-09-17 or 2026-09-17T14:30:00Z", flag, s)
}
