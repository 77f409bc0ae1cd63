package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"backoffice/internal/audit"
)

// auditVerifyCommand is "backoffice audit verify".
type auditVerifyCommand struct {
	File  []string `arg:"" help:"An export (zip), a receipt, or an archive file. Several archive files, and an export of what is live, are checked together."`
	Key   string   `required:"" help:"Public key of the log, or a file with it. It must have come to you by another way than the export." env:"BACKOFFICE_AUDIT_KEY" placeholder:"PUBKEY"`
	Since []string `sep:"none" help:"Something older that the log must continue: an export, a receipt, an anchor file or a checkpoint. Can be given more than once." placeholder:"OLDER"`
	Head  []string `sep:"none" help:"The short form of an older head, as printed on paper, that the log must continue." placeholder:"SHORT"`
}

// Help says what the exit status means.
func (v *auditVerifyCommand) Help() string {
	return "Works without the data file, and without network. The exit status is 0 if everything holds, 1 if something does not, and 2 if the check could not be made. The format of the files is in docs/audit-format.md."
}

// uncheckable is an error of a check that could not be made.
type uncheckable struct{ error }

// ExitCode is the exit status.
func (uncheckable) ExitCode() int { return 2 }

// Run checks the file and says what was proven.
func (v *auditVerifyCommand) Run(con console) error {
	p, err := v.check(con)
	var fault *audit.Fault
	switch {
	case errors.As(err, &fault):
		return fmt.Errorf("NOT VERIFIED: %s: %w", strings.Join(v.File, ", "), err)
	case err != nil:
		return uncheckable{fmt.Errorf("%s was not checked: %w", strings.Join(v.File, ", "), err)}
	}
	_, err = fmt.Fprint(con.out, verdict(p))
	return err
}

func (v *auditVerifyCommand) check(con console) (p audit.Proven, err error) {
	key, err := publicKey(v.Key)
	if err != nil {
		return p, err
	}
	check := audit.Verification{Key: key, Progress: progress(con.err)}
	for _, name := range v.Since {
		err := withFile(name, func(f *os.File, size int64) error {
			heads, err := audit.ReadEarlier(f, size, name, key)
			check.Earlier = append(check.Earlier, heads...)
			return err
		})
		if err != nil {
			return p, fmt.Errorf("--since %s: %w", name, err)
		}
	}
	for _, s := range v.Head {
		h, err := audit.ParseShort(s)
		if err != nil {
			return p, fmt.Errorf("--head: %w", err)
		}
		check.Earlier = append(check.Earlier, h.Kept("the short form "+s))
	}
	var parts []audit.Part
	for _, name := range v.File {
		f, err := os.Open(name)
		if err != nil {
			return p, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return p, err
		}
		parts = append(parts, audit.Part{Name: name, R: f, Size: info.Size()})
	}
	return check.Files(parts)
}

// publicKey reads a public key, or a file with one.
func publicKey(s string) (audit.Key, error) {
	key, err := audit.ParseKey(s)
	if err == nil {
		return key, nil
	}
	b, fileErr := os.ReadFile(s)
	if fileErr != nil {
		return key, fmt.Errorf("--key is %q, and there is no such file: %w", s, err)
	}
	if key, err = audit.ParseKey(string(b)); err != nil {
		return key, fmt.Errorf("--key names the file %s: %w", s, err)
	}
	return key, nil
}

func withFile(name string, f func(*os.File, int64) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return f(file, info.Size())
}

// verdict is what was proven, for people; its first word is for scripts.
func verdict(p audit.Proven) string {
	var b strings.Builder
	head := fmt.Sprintf("the head of %s, signed by %s on %s", plural(p.Head.Size, "event"), p.Head.Signer(), p.Head.Time.Format(time.RFC3339))
	switch p.Kind {
	case audit.KindReceipt:
		e := p.Event
		fmt.Fprintf(&b, "VERIFIED: event %d is in the log: %s, %s, %q, %s, %s.\n", e.N, e.Time.Format(time.RFC3339), or(e.Actor.Name, "nobody signed in"), e.Action, or(e.Target, "no target"), e.Outcome)
		fmt.Fprintf(&b, "Proven against %s.\n", head)
	case audit.KindFiltered:
		fmt.Fprintf(&b, "VERIFIED: %s, each proven to be in the log, against %s.\n", plural(p.Events, "event"), head)
		b.WriteString("It is a filtered export: that no matching event was left out when it was made is not proven.\n")
	case audit.KindPart:
		fmt.Fprintf(&b, "VERIFIED: %s, %s, against %s.\n", plural(p.Events, "event"), span(p), head)
		if p.From > 0 {
			fmt.Fprintf(&b, "The %s before are in older archive files: give those, too, to check them.\n", plural(p.From, "event"))
		}
	default:
		fmt.Fprintf(&b, "VERIFIED: %s, all that there are, against %s.\n", plural(p.Events, "event"), head)
	}
	if p.Earlier > 0 {
		fmt.Fprintf(&b, "It continues %s.\n", plural(int64(p.Earlier), "older head"))
	}
	return b.String()
}

// span says which events a part has.
func span(p audit.Proven) string {
	if p.Events == 0 {
		return fmt.Sprintf("none from number %d on", p.From)
	}
	return fmt.Sprintf("number %d to %d", p.From, p.Head.Size-1)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// progress tells a person at a terminal how far it is, and nobody else.
func progress(w io.Writer) func(done, of int64) {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return progressOn(w)
}

func progressOn(w io.Writer) func(done, of int64) {
	shown := false
	return func(done, of int64) {
		if done < of {
			shown = true
			fmt.Fprintf(w, "\r%d of %d events", done, of)
		} else if shown {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}
