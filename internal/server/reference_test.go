package server

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Every page that refuses what was sent shows once by which reference the log
// has the line about it; no other page shows one.
func TestRefusalsHaveAReference(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.slack()
	p := h.owner()
	h.pass(6 * time.Minute) // so that the password is asked for
	save := []string{"revision", "9", "base", "1", "then", "pending"}
	for _, tt := range []struct {
		a      answer
		status int
		cause  string // in the line of the log
	}{
		{p.post("/config", "id", "nonsense", "then", "pending"), 422, "vendor:service"},
		{p.post("/config", "id", "acme:slack", "connector", "slack", "f.clientId", "c", "f.clientSecret", "s", "then", "pending"), 409, "There is an entry"},
		{p.submit(p.get("/config/acme:intercom/edit"), entry, "then", "pending"), 422, ""},
		{p.post(slack, append(save, "f.clientId", "x", "f.clientSecret", "")...), 409, "saved in between"},
		{p.post(slack, "revision", "1", "base", "1", "then", "pending", "f.clientId", "x", "retype.clientSecret", "yes"), 422, "typed again"},
		{p.post(entry+"/scopes", append(save, "scope", "x")...), 409, "changed this entry"},
		{p.post(entry+"/scopes", "revision", "1", "base", "1", "then", "pending", "reason", strings.Repeat("r", 1001)), 422, "at most 1000 characters"},
		{p.post(entry+"/promote", "version", "1", "revision", "9"), 409, "changed this entry"},
		{p.post(entry+"/test/token", "version", "1", "token", " "), 422, ""},
		{p.post(entry+"/reveal", "version", "1", "key", "clientSecret", "password", "wr0ng"), 422, ""},
		{p.post(entry+"/delete", "confirm", "other", "revision", "1"), 422, ""},
		{p.post("/account/password", "current", "wr0ng"), 422, ""},
		{h.visitor().post("/login", "email", ownerEmail, "password", "wr0ng"), 422, "password is wrong"},
	} {
		id := tt.a.want(tt.status).header.Get("X-Request-Id")
		if n := strings.Count(tt.a.body, id); n != 1 || !slices.Contains(tt.a.texts("code"), id) {
			t.Errorf("%s: the reference stands on the page %d times, want 1", tt.a.what, n)
		}
		lines := 0
		for line := range strings.Lines(h.log.String()) {
			if strings.Contains(line, id) && strings.Contains(line, `"level":"INFO","msg":"request refused"`) && strings.Contains(line, tt.cause) {
				lines++
			}
		}
		if lines != 1 {
			t.Errorf("%s: %d lines of the log have its reference and %q, want 1", tt.a.what, lines, tt.cause)
		}
	}
	lines := strings.Count(h.log.String(), "request refused")
	for _, path := range []string{"/", "/config", entry, entry + "/edit", entry + "/test", "/login"} {
		if a := p.get(path); strings.Contains(a.words(), "Reference") {
			t.Errorf("%s has a reference", path)
		}
	}
	if n := strings.Count(h.log.String(), "request refused"); n != lines {
		t.Errorf("%d pages that refuse nothing are in the log", n-lines)
	}
}
