package audit

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// csvHead are the columns of CSV.
var csvHead = []string{"event", "time", "person", "account", "address", "request", "action", "what", "target", "version", "outcome", "reason", "changes", "note"}

// CSV writes the events that x chooses as a table, oldest first, with a line of
// titles. No cell is taken for a formula by a spreadsheet. It proves nothing: see
// Export. That it was exported is an event, and commits first; at is when.
func (l *Log) CSV(ctx context.Context, w io.Writer, x Exporting, at time.Time) error {
	total, err := l.begin(ctx, x, "As a table.", at)
	if err != nil {
		return err
	}
	table := csv.NewWriter(w)
	if err := table.Write(csvHead); err != nil {
		return err
	}
	err = l.each(ctx, walk{filter: x.Filter, size: total, decode: true}, func(one found) error { return table.Write(cells(one.event)) })
	if err != nil {
		return fmt.Errorf("exporting the audit log as a table: %w", err)
	}
	table.Flush()
	return table.Error()
}

// Lines writes the events that x chooses as JSON lines, oldest first, each as its
// exact bytes. It proves nothing: see Export. That it was exported is an event, and
// commits first; at is when.
func (l *Log) Lines(ctx context.Context, w io.Writer, x Exporting, at time.Time) error {
	total, err := l.begin(ctx, x, "As JSON lines.", at)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	err = l.each(ctx, walk{filter: x.Filter, size: total}, func(one found) error {
		_, err := out.Write(append(one.leaf, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("exporting the audit log as JSON lines: %w", err)
	}
	return out.Flush()
}

// begin records that there is an export, and returns the size of the log of then.
func (l *Log) begin(ctx context.Context, x Exporting, how string, at time.Time) (int64, error) {
	x.Note = strings.TrimSpace(x.Note + " " + how)
	note, err := x.words()
	if err != nil {
		return 0, err
	}
	if err := Record(ctx, l.store, Event{Time: at, Actor: x.By, Action: LogExported, Outcome: Done, Note: note}); err != nil {
		return 0, err
	}
	return l.Size(ctx)
}

func cells(e Event) []string {
	version := ""
	if e.Version != 0 {
		version = strconv.Itoa(e.Version)
	}
	var changes []string
	for _, c := range e.Changes {
		changes = append(changes, fmt.Sprintf("%s: %s → %s", c.Key, c.Before, c.After))
	}
	row := []string{strconv.FormatInt(e.N, 10), e.Time.Format(time.RFC3339Nano), e.Actor.Name, e.Actor.ID, e.Actor.Addr, e.Actor.RequestID,
		string(e.Action), e.Action.Title(), e.Target, version, string(e.Outcome), e.Reason, strings.Join(changes, "\n"), e.Note}
	for i := range row {
		row[i] = inert(row[i])
	}
	return row
}

// inert returns s as a cell that no spreadsheet computes: one that would begin
// like a formula, also behind white space or in full-width characters, gets an
// apostrophe in front.
func inert(s string) string {
	first := strings.TrimLeft(s, " \u00a0\u200b\ufeff\x00")
	if first != "" && strings.ContainsAny(first[:1], "=+-@\t\r\n|%") {
		return "'" + s
	}
	for _, wide := range []string{"＝", "＋", "－", "＠"} {
		if strings.HasPrefix(first, wide) {
			return "'" + s
		}
	}
	return s
}
