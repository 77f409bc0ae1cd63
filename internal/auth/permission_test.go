package auth

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write the permission matrix into docs/security.md")

// What the roles are for, said once more in words of its own, so that a slip in
// the table does not go unseen.
func TestMatrix(t *testing.T) {
	only := map[Permission][]Role{ConfigWrite: {Owner, Admin, Editor}, ConfigPromote: {Owner, Admin}, ConfigDelete: {Owner, Admin}, ConfigApprove: {Owner, Admin}, ConfigRule: {Owner, Admin}, ConfigTest: {Owner, Admin, Editor},
		ConfigReveal: {Owner, Admin}, ConfigExport: {Owner, Admin, Editor}, EntriesExport: {Owner, Admin, Auditor}, EntriesImport: {Owner, Admin}, TeamSessions: {Owner}, WebhookRead: {Owner, Admin, Editor, Auditor}, WebhookReplay: {Owner, Admin}, AuditRead: {Owner, Admin, Auditor}, TeamRead: {Owner, Admin, Auditor}, TeamWrite: {Owner, Admin},
		AuditExport: {Owner, Admin, Auditor}, AuditCheck: {Owner, Admin, Auditor}, RadarPause: {Owner, Admin}, SettingsRead: {Owner, Admin, Auditor}, SettingsCheck: {Owner, Admin}, KeysManage: {Owner}, SignInManage: {Owner}, BackupTake: {Owner}}
	house := []Permission{AuditExport, AuditCheck, RadarPause, SettingsRead, SettingsCheck, KeysManage, SignInManage, BackupTake}
	for _, p := range Permissions() {
		for _, r := range Roles() {
			roles, limited := only[p]
			want := !limited || slices.Contains(roles, r)
			if got := (Grant{Role: r}).May(p, true); got != want {
				t.Errorf("in production %s may %s: %v, want %v", r, p, got, want)
			}
			some := want && !slices.Contains(house, p)
			if got := (Grant{Role: r, Entries: "acme:*"}).May(p, true); got != some {
				t.Errorf("for some entries %s may %s: %v, want %v", r, p, got, some)
			}
			elsewhere := want || (p == ConfigPromote || p == ConfigApprove) && r == Editor
			if got := (Grant{Role: r}).May(p, false); got != elsewhere {
				t.Errorf("outside production %s may %s: %v, want %v", r, p, got, elsewhere)
			}
		}
	}
}

func TestNobodyReachesAboveTheOwnGrant(t *testing.T) {
	for _, tt := range []struct {
		mine, theirs Grant
		want         bool
	}{
		{Grant{Owner, ""}, Grant{Owner, ""}, true},
		{Grant{Owner, ""}, Grant{Viewer, "acme:*"}, true},
		{Grant{Admin, ""}, Grant{Owner, ""}, false},
		{Grant{Admin, ""}, Grant{Admin, ""}, true},
		{Grant{Admin, "acme:*"}, Grant{Editor, "acme:*"}, true},
		{Grant{Admin, "acme:*"}, Grant{Editor, "acme:intercom"}, true},
		{Grant{Admin, "acme:*"}, Grant{Editor, ""}, false},
		{Grant{Admin, "acme:*"}, Grant{Editor, "globex:*"}, false},
		{Grant{Admin, "acme:*"}, Grant{Editor, "acme:* globex:*"}, false},
		{Grant{Viewer, ""}, Grant{Auditor, ""}, false},
		{Grant{"", ""}, Grant{"", ""}, false},
		{Grant{Owner, ""}, Grant{"king", ""}, false},
	} {
		if got := tt.mine.Reaches(tt.theirs); got != tt.want {
			t.Errorf("%+v reaches %+v: %v, want %v", tt.mine, tt.theirs, got, tt.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, tt := range []struct {
		typed  string
		yes    []string
		no     []string
		within bool // acme:* globex:intercom
	}{
		{"", []string{"acme:intercom", "x:y:z"}, nil, false},
		{"acme:*", []string{"acme:intercom", "acme:google:drive"}, []string{"acme2:intercom", "acm:e", "globex:acme:x", "ACME:intercom", ""}, true},
		{" acme:* ,\tglobex:intercom\n", []string{"acme:x", "globex:intercom"}, []string{"globex:slack", "globex:intercom2"}, true},
		{"*:intercom", []string{"acme:intercom", "a:b:intercom"}, []string{"acme:intercom:x", "acme:slack"}, false},
		{"*", []string{"acme:intercom"}, nil, false},
		{"a*b*c", []string{"abc", "aXbXc", "abbc", "abcbc"}, []string{"ab", "acb", "abcx"}, false},
		{"acme:in*m", []string{"acme:intercom", "acme:inm"}, []string{"acme:intercomx"}, true},
	} {
		p := NewPattern(tt.typed)
		for _, id := range tt.yes {
			if !p.Covers(id) {
				t.Errorf("%q does not cover %q", p, id)
			}
		}
		for _, id := range tt.no {
			if p.Covers(id) {
				t.Errorf("%q covers %q", p, id)
			}
		}
		if got := p.Within("acme:* globex:intercom"); got != tt.within {
			t.Errorf("%q is within acme:* globex:intercom: %v", p, got)
		}
		if !p.Within("") || !p.Within(p) || p.check() != nil {
			t.Errorf("%q within all %v, within itself %v, check %v", p, p.Within(""), p.Within(p), p.check())
		}
	}
	for _, bad := range []Pattern{"acme:<b>", "é:*", Pattern(strings.Repeat("a", 201)), NewPattern(strings.Repeat("a:b ", 21)), "a/b"} {
		if bad.check() == nil {
			t.Errorf("the pattern %.20q is accepted", bad)
		}
	}
	// The work of a pattern is bounded: this one would take ages if it were not.
	if NewPattern(strings.Repeat("*a", 90) + "b").Covers(strings.Repeat("a", 200)) {
		t.Error("a pattern that ends in b covers a text without one")
	}
}

// What docs/security.md says about permissions is what the program does.
func TestDocumentedMatrix(t *testing.T) {
	const path, begin, end = "../../docs/security.md", "<!-- matrix -->\n", "<!-- /matrix -->"
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(doc), begin)
	got, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the matrix", path)
	}
	if *write {
		if err := os.WriteFile(path, []byte(head+begin+printed()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != printed() {
		t.Errorf("%s prints another matrix; go test ./internal/auth -run TestDocumentedMatrix -write corrects it", path)
	}
}

// printed is the matrix as a table of Markdown.
func printed() string {
	var b bytes.Buffer
	b.WriteString("| What | Permission |")
	for _, r := range Roles() {
		fmt.Fprintf(&b, " %s |", r)
	}
	b.WriteString("\n|---|---|---|---|---|---|---|\n")
	for _, r := range Matrix() {
		words := r.Words
		if r.House {
			words += " ¹"
		}
		if r.Proof {
			words += " ²"
		}
		fmt.Fprintf(&b, "| %s | `%s` |", words, r.Permission)
		for _, c := range r.Cells {
			fmt.Fprintf(&b, " %s |", c)
		}
		b.WriteString("\n")
	}
	return b.String()
}
