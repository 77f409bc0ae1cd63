package server

import (
	"slices"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/web/templates"
)

const spaceInside = "There is a space inside. Ids and secrets have none. Copy it again, alone, from the provider's page."

// What is doubtful is saved, and said on the page after it, beside the value and
// in the form; what was taken off is said too. No script is needed.
func TestDoubtsAreSaidAndSaved(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	page := p.get("/config/new?connector=intercom&id=acme:intercom").want(200).lacks("doubts")
	p.submit(page, "/config", "f.clientId", "\u200bclient-1 ", "f.clientSecret", " s3cret key\u00a0", "then", "pending").leadsTo(entry)
	shown := p.get(entry).want(200, "Saved as version 1, pending. Invisible characters were removed from a value", "Look at 1 value of version 1 again",
		"Client secret. "+spaceInside, "1 white-space character was trimmed off its ends. Invisible characters were removed: U+200B zero width space.",
		"2 white-space characters were trimmed off its ends.").lacks("s3cret", "s3cret key")
	if beside := shown.texts("p[id=row-clientSecret-warning]"); !slices.Equal(beside, []string{spaceInside}) {
		t.Errorf("beside the secret stands %q", beside)
	}
	if got := h.values("acme:intercom"); got["clientId"] != "client-1" || got["clientSecret"] != "s3cret key" {
		t.Errorf("kept %q", got)
	}
	form := p.get(entry+"/edit").want(200).lacks("s3cret", "Look at", "trimmed")
	if beside := form.texts("ul[id=f.clientSecret-doubts]"); !slices.Equal(beside, []string{spaceInside}) {
		t.Errorf("in the form beside the secret stands %q", beside)
	}
	if by, _ := attr(form.one("input[name=f.clientSecret]"), "aria-describedby"); !strings.Contains(by, "f.clientSecret-doubts") {
		t.Errorf("the control is described by %q", by)
	}
	p.submit(form, entry, "f.clientSecret", "s3cret-key", "then", "pending").leadsTo(entry)
	p.get(entry).want(200, "Saved as version 2, pending").lacks("Look at", "space inside", "trimmed")
	p.get(entry+"?version=1").want(200, "Look at 1 value of version 1 again", "2 white-space characters").lacks(`href="/config/acme:intercom/edit">Edit`)
	for _, e := range h.events(audit.EntryCreated) {
		if strings.Contains(e.Note, "s3cret") {
			t.Errorf("the event says %q", e.Note)
		}
	}
}

// A form that comes back says what was doubtful of what was typed, also of
// secrets that it lost, and has what was typed without what saving removes.
func TestDoubtsInAFormThatComesBack(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	page := p.get("/config/new?connector=intercom&id=acme:intercom")
	page = p.submit(page, "/config", "id", "acme intercom", "f.clientId", " https://app.example/id ", "f.clientSecret", "dG9rOjEyMzQ1Njc4OWFiY2Q=",
		"key", "mine", "value", " x", "secret", "no", "then", "pending").want(422,
		"It looks like an Intercom access token. Copy the client secret instead", "It is a web address, or a part of one.",
		"It begins or ends with white space. Nothing is removed from a key of your own", "2 white-space characters were trimmed off its ends.").lacks("dG9r")
	if got := page.value("input[name=f.clientId]"); got != "https://app.example/id" {
		t.Errorf("the client id comes back as %q", got)
	}
	if all := must(h.deps.Config.All(t.Context()))(t); len(all) != 0 {
		t.Errorf("%d entries were made", len(all))
	}
}

// A value of another entry is named, with the way there.
func TestDoubtsNameTheOtherEntry(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("globex:intercom", nil)
	p := h.owner()
	page := p.get("/config/new?connector=intercom&id=acme:intercom")
	p.submit(page, "/config", "f.clientId", "another", "f.clientSecret", h.provider.ClientSecret(), "f.region", "US", "then", "pending").leadsTo(entry)
	h.save("hooli:intercom", nil)
	p.get("/config/hooli:intercom").want(200, "This is a rehearsal").lacks("Same ")
	shown := p.get(entry).want(200, "Same value as Client secret of globex:intercom, version 1, in force, and as one more entry.").lacks(h.provider.ClientSecret())
	if links := shown.texts("a[href=/config/globex:intercom]"); !slices.Equal(links, []string{"Open globex:intercom"}) {
		t.Errorf("links to the other entry: %q", links)
	}
	if links := p.get(entry + "/edit").texts("a[href=/config/globex:intercom]"); len(links) != 1 {
		t.Errorf("links in the form: %q", links)
	}
	page = p.get("/config/new?connector=intercom&id=initech:intercom")
	p.submit(page, "/config", "f.clientId", "yet another", "f.clientSecret", h.provider.ClientSecret(), "f.region", "US", "then", "current").leadsTo("/config/initech:intercom")
	p.get("/config/initech:intercom").want(200, "Same value as Client secret of")
	p.get("/config/initech:intercom").want(200, "yet another").lacks("Same value as")
	h.become("reader") // a role that may do nothing yet sees nothing of it either
	p.get(entry).want(403).lacks("globex")
}

// Both ways to save say what was removed.
func TestSavedFlash(t *testing.T) {
	t.Parallel()
	trimmed, removed := config.Cleaning{Key: "a", Trimmed: 1}, config.Cleaning{Key: "b", Removed: []string{"U+200B zero width space"}}
	for _, tt := range []struct {
		cleaned []config.Cleaning
		then    config.Then
		want    string
	}{
		{nil, config.Pend, "Saved as version 3, pending"},
		{nil, config.PutInForce, "Version 3 is saved and in force"},
		{[]config.Cleaning{trimmed}, config.Pend, "Saved as version 3, pending. Spaces at the end of a value were removed"},
		{[]config.Cleaning{trimmed}, config.PutInForce, "Version 3 is saved and in force. Spaces at the end of a value were removed"},
		{[]config.Cleaning{trimmed, removed}, config.Pend, "Saved as version 3, pending. Invisible characters were removed from a value"},
		{[]config.Cleaning{removed}, config.PutInForce, "Version 3 is saved and in force. Invisible characters were removed from a value"},
	} {
		if got := savedFlash(config.Saved{Version: config.Version{Number: 3, Cleaned: tt.cleaned}}, tt.then).words(); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.cleaned, got, tt.want)
		}
	}
}

func TestDoubtsOfOneKey(t *testing.T) {
	t.Parallel()
	all := []config.Doubt{{Key: "a", Found: "It is odd.", Remedy: "Look."}, {Key: "b", Found: "Same.", Remedy: "Copy.", Other: "x:y"}}
	if got := doubtsOf(all, "b"); !slices.Equal(got, []templates.Doubt{{Text: "Same. Copy.", Link: templates.Link{Label: "Open x:y", URL: "/config/x:y"}}}) {
		t.Errorf("got %+v", got)
	}
	if got := doubtsOf(all, "a"); !slices.Equal(got, []templates.Doubt{{Text: "It is odd. Look."}}) {
		t.Errorf("got %+v", got)
	}
}
