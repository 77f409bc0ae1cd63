package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"backoffice/internal/backup"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// backupPages are Settings → Backup.
type backupPages struct{ gate }

// show is GET /settings/backup.
func (p backupPages) show(c echo.Context) error {
	s, err := p.Backups.State(c.Request().Context())
	if err != nil {
		return err
	}
	page := templates.BackupPage{Frame: p.frame(c, "Backup", templates.SectionSettings), Take: p.allows(c, backupTake), Save: s.Dir != "", Since: p.when(s.Since), Recipients: s.Recipients, Notice: p.backupFault(s)}
	f := p.backupStanding(s)
	page.Verdict, page.Word, page.Lead = f.Verdict, f.Word, f.Text
	page.Schedule = p.scheduleFacts(s)
	page.File, page.FileNote = p.fileFacts()
	for _, r := range s.Runs {
		page.Rows = append(page.Rows, p.backupRow(r))
	}
	return render(c, http.StatusOK, templates.Backup(page))
}

// backupStanding says how the backups stand, in a sentence and a word.
func (g gate) backupStanding(s backup.State) templates.Fact {
	f := templates.Fact{Label: "Backup", Text: "None was made yet. With --backup-dir, the program makes them by itself.", Verdict: templates.VerdictWarning, Word: "None"}
	if s.Good.File != "" {
		f.Text = fmt.Sprintf("The last one in %s was made %s: %s, with %s of the audit log.", s.Dir, g.when(s.Good.Time).Ago, templates.Size(s.Good.Size), plural(int(s.Good.Events), "event"))
		f.Verdict, f.Word = templates.VerdictOK, "Made and read back"
	}
	switch {
	case s.Failing != "":
		f.Verdict, f.Word = templates.VerdictWrong, "Fails"
	case s.Overdue:
		f.Verdict, f.Word = templates.VerdictWarning, "Overdue"
	case s.Next.IsZero() && s.Good.File != "":
		f.Verdict, f.Word = templates.VerdictWarning, "By hand only"
	}
	return f
}

// backupFault is what does not work, for the page and the overview.
func (g gate) backupFault(s backup.State) templates.Notice {
	switch {
	case s.Failing != "":
		return templates.Notice{Verdict: templates.VerdictWrong, Heading: "The scheduled backup fails", Text: s.Failing + " Older backups are still there, and it is tried again."}
	case s.Overdue:
		return templates.Notice{Verdict: templates.VerdictWarning, Heading: "The scheduled backup is overdue", Text: fmt.Sprintf("The next should have been made %s.", g.when(s.Next).Ago)}
	}
	return templates.Notice{}
}

// backupNotice is backupFault for who may read the settings.
func (g gate) backupNotice(c echo.Context) (templates.Notice, error) {
	if !g.mayOf(c).Settings {
		return templates.Notice{}, nil
	}
	s, err := g.Backups.State(c.Request().Context())
	if err != nil {
		return templates.Notice{}, err
	}
	n := g.backupFault(s)
	if n.Known() {
		n.Link = templates.Link{Label: "See the backups", URL: "/settings/backup"}
	}
	return n, nil
}

// backupFact is how the backups stand, for Settings.
func (g gate) backupFact(c echo.Context) (templates.Fact, error) {
	s, err := g.Backups.State(c.Request().Context())
	return g.backupStanding(s), err
}

func (p backupPages) scheduleFacts(s backup.State) []templates.Fact {
	if s.Dir == "" {
		return []templates.Fact{{Label: "Directory", Text: "None: --backup-dir names one", Verdict: templates.VerdictWarning, Word: "No backup is made by itself"}}
	}
	facts := []templates.Fact{{Label: "Directory", Text: s.Dir, Code: true}, {Label: "Kept", Text: "The last " + plural(s.Keep, "backup")}}
	if s.Next.IsZero() {
		return append(facts, templates.Fact{Label: "Every", Text: "Never by itself: --backup-every is 0", Verdict: templates.VerdictWarning, Word: "By hand only"})
	}
	return append(facts, templates.Fact{Label: "Every", Text: every(s.Every)}, templates.Fact{Label: "Next", Text: p.when(s.Next).Exact})
}

// every is a span in its largest unit.
func every(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return plural(int(d/(24*time.Hour)), "day")
	case d%time.Hour == 0:
		return plural(int(d/time.Hour), "hour")
	}
	return d.String()
}

// From here on it is worth to compact: below, the disk gains little, and what is free
// is used again.
const (
	compactSize  = 64 << 20 // bytes
	compactShare = 0.5
)

// fileFacts are the data file and its free share, with words on when to compact.
func (p backupPages) fileFacts() ([]templates.Fact, string) {
	size := p.Site.DataSize()
	facts := []templates.Fact{{Label: "Data file", Text: p.Site.DataFile, Code: true}, {Label: "Size", Text: templates.Size(size)}}
	if p.Site.FreeShare == nil {
		return facts, ""
	}
	share := p.Site.FreeShare()
	free := templates.Fact{Label: "Free share", Text: fmt.Sprintf("%.0f %%, %s", 100*share, templates.Size(int64(share*float64(size)))), Verdict: templates.VerdictOK, Word: "Will be used again"}
	note := "What is deleted leaves free pages, which are used again; the file does not shrink by itself. There is nothing to do."
	if size >= compactSize && share >= compactShare {
		free.Verdict, free.Word = templates.VerdictWarning, "Can be given back"
		note = "More than a half of the file is free. If it will not fill again, stop the program and run backoffice compact, which gives the room back to the disk."
	}
	return append(facts, free), note
}

// backupWords say what a backup was made for.
var backupWords = map[backup.Kind]string{backup.Scheduled: "By the schedule", backup.ByHand: "By hand", backup.Downloaded: "Download", backup.Console: "On the console"}

func (p backupPages) backupRow(r backup.Run) templates.BackupRow {
	row := templates.BackupRow{When: p.when(r.Time), How: backupWords[r.Kind], By: r.By, File: r.File, Sum: r.SHA256, Fault: r.Fault}
	switch {
	case r.Fault != "":
		row.Verdict, row.Word = templates.VerdictWrong, "Failed"
		return row
	case r.Verified:
		row.Verdict, row.Word = templates.VerdictOK, "Read back"
	default:
		row.Verdict, row.Word = templates.VerdictNotChecked, "Taken away"
	}
	row.Size, row.To = templates.Size(r.Size), "Not encrypted"
	if n := len(r.Recipients); n > 0 {
		row.To = "Encrypted to " + plural(n, "recipient")
	}
	return row
}

// patienceOfForm is how long a form waits for a backup before the page goes on
// without it.
const patienceOfForm = 5 * time.Second

// save is POST /settings/backup: a backup into the directory. A large one goes on
// behind the page, which then says how it ended.
func (p backupPages) save(c echo.Context) error {
	done := make(chan error, 1)
	by, id, ctx := actor(c), visitOf(c).requestID, context.WithoutCancel(c.Request().Context())
	go func() {
		_, err := p.Backups.Save(ctx, by, backup.ByHand)
		if err != nil {
			p.Log.Error("making a backup", "request", id, "error", err)
		}
		done <- err
	}()
	wait := time.NewTimer(patienceOfForm)
	defer wait.Stop()
	select {
	case err := <-done:
		if err != nil {
			return unmade(err)
		}
		return p.see(c, "/settings/backup", flash{said: saidBackedUp})
	case <-wait.C:
		return p.see(c, "/settings/backup", flash{said: saidBackingUp})
	}
}

// unmade gives an error words, if it has none: nothing was changed.
func unmade(err error) error {
	if _, msg := errs.Of(err); msg != "" {
		return err
	}
	return errs.Wrap(errs.Unavailable, "No backup was made. The log of the program says why.", err)
}

// download is POST /settings/backup/download. The archive is whole, and its event in
// the log, before the first byte is out; whoever takes it slowly holds up nobody.
func (p backupPages) download(c echo.Context) error {
	f, made, err := p.Backups.Give(c.Request().Context(), actor(c), backup.Downloaded, p.Backups.Recipients())
	if err != nil {
		return unmade(err)
	}
	defer f.Close()
	c.Response().Header().Set(echo.HeaderContentLength, fmt.Sprint(made.Size))
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	w := &exportWriter{c: c, kind: "application/octet-stream", name: made.Name(p.Backups.Recipients().Encrypt())}
	if _, err := io.Copy(w, struct{ io.Reader }{f}); err != nil {
		if !w.begun {
			return err
		}
		p.Log.Warn("a download of a backup broke off", "request", visitOf(c).requestID, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
