package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Paste puts text into a control as the clipboard would, given that the page
// changes it.
func (p *person) Paste(control, text string) {
	p.t.Helper()
	words, err := json.Marshal([]string{control, text})
	if err != nil {
		p.t.Fatal(err)
	}
	eval[bool](p, fmt.Sprintf(`(([id, text]) => {
		const input = document.getElementById(id), data = new DataTransfer();
		input.focus();
		input.select();
		data.setData("text/plain", text);
		return input.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
	})(%s)`, words))
}

// notes are what the page says of a paste into a control that names them as its
// description.
func (p *person) notes(control string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf(`((input) => {
		const list = document.getElementById(input.id + "-pasted");
		if (!list) return input.getAttribute("aria-describedby")?.includes("-pasted") ? "described by nothing" : "";
		if (!input.getAttribute("aria-describedby").split(" ").includes(list.id)) return "not described by it";
		return [...list.children].map((line) => line.textContent).join("|");
	})(document.getElementById(%q))`, control))
}

// The script of the forms and the server say the same of every paste.
func TestPastedRules(t *testing.T) {
	t.Parallel()
	cases, err := os.ReadFile("../internal/config/testdata/pastes.json")
	if err != nil {
		t.Fatal(err)
	}
	ada := start(t).admin(t)
	ada.Open("/config/new?connector=intercom")
	eval[bool](ada, fmt.Sprintf(`(window.disagreements = null, import(document.querySelector("script[src$='/app.js']").src.replace("app.js", "pasted.js")).then(({ clean, look, said }) => {
		const cases = %s, different = (a, b) => JSON.stringify(a) !== JSON.stringify(b), out = [String(cases.length)];
		for (const c of cases) {
			const got = clean(c.text), doubts = look(c.text, c.use);
			if (different([got.text, got.trimmed, got.removed, said(got)], [c.clean, c.trimmed, c.removed, c.said])) out.push(c.name + " is cleaned to " + JSON.stringify(got) + ", " + said(got));
			if (different(doubts, c.doubts)) out.push(c.name + " is doubted as " + JSON.stringify(doubts));
			if (clean(got.text).text !== got.text) out.push(c.name + " is cleaned further the second time");
		}
		window.disagreements = out;
	}, (why) => { window.disagreements = [String(why)]; }), true)`, cases))
	var got []string
	ada.until("the rules are tried", func() (bool, string) {
		got = eval[[]string](ada, "window.disagreements ?? []")
		return len(got) > 0, "they are still being tried"
	})
	var all []any
	if err := json.Unmarshal(cases, &all); err != nil || len(all) < 100 || got[0] != fmt.Sprint(len(all)) {
		t.Errorf("tried %s of %d cases (%v)", got[0], len(all), err)
	}
	for _, g := range got[1:] {
		t.Error(g)
	}
}

// A paste loses what cannot be seen, the person is told, and also what is odd
// about it, before anything is sent.
func TestPasteGuard(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.Open("/config/new?connector=intercom")
	const id, secret = "f.clientId", "f.clientSecret"
	for _, tt := range []struct{ control, paste, holds, says string }{
		{id, " pasted-id \n", "pasted-id", "3 white-space characters were trimmed off its ends."},
		{id, "pas\u200bted-id", "pasted-id", "Invisible characters were removed: U+200B zero width space."},
		{id, "my app ", "my app", "1 white-space character was trimmed off its ends.|There is a space inside. Ids and secrets have none. Copy it again, alone, from the provider's page."},
		{id, "one\ntwo\n", "onetwo", "1 white-space character was trimmed off its ends.|There is a line break inside. Copy it again as one line: perhaps only the first line belongs to it."},
		{id, "pasted-id\ufeff", "pasted-id", "Invisible characters were removed: U+FEFF byte order mark."},
		{secret, "pasted-id\t", "pasted-id", "1 white-space character was trimmed off its ends.|Client ID and Client secret are the same. Copy each of the two from its own field of the provider's page."},
		{secret, "\tclient_secret=abc", "client_secret=abc", "1 white-space character was trimmed off its ends.|It begins with a name, or with a word like Bearer. Copy only what stands after that."},
	} {
		ada.Paste(tt.control, tt.paste)
		if got := ada.notes(tt.control); got != tt.says {
			t.Errorf("after pasting %q it says %q, want %q", tt.paste, got, tt.says)
		}
		if got := eval[string](ada, fmt.Sprintf("document.getElementById(%q).value", tt.control)); got != tt.holds {
			t.Errorf("after pasting %q it holds %q, want %q", tt.paste, got, tt.holds)
		}
	}
	ada.See("Copy only what stands after that")
	ada.Fill("Client secret", "kZ8vQ2mX7tR4wB9n")
	ada.Fill("Client ID", "changeme")
	ada.Fill("Reason", "because")
	if id, secret := ada.notes(id), ada.notes(secret); secret != "" || id != "It is a placeholder of a guide or an example. Put in the value that the provider's page shows for your app." {
		t.Errorf("after typing, the id says %q, the secret %q", id, secret)
	}
	ada.In(".key-row:nth-child(1)").Fill("Key", "mine")
	ada.Paste("value-1", " kept as it is")
	ada.Follow("Save as pending")
	ada.See("Look at 1 value of version 1 again", "It is a placeholder of a guide or an example.", "changeme")
	ada.Follow("Values")

	ada.In("[aria-labelledby=doubtful]").Follow("Edit")
	ada.In("[id='f.clientId-doubts']").See("It is a placeholder")
	ada.Fill("Client ID", "something-else")
	ada.Fill("Reason", "because")
	ada.In("form[aria-label=Values]").NotSee("It is a placeholder")
	ada.Fill("Client ID", "changeme")
	ada.Fill("Reason", "because of that")
	ada.In("[id='f.clientId-doubts']").See("It is a placeholder")
	ada.Paste(secret, "changeme ")
	if got := ada.notes(secret); !strings.Contains(got, "Client ID and Client secret are the same.") {
		t.Errorf("the same as the stored id: %q", got)
	}
	ada.Fill("Client ID", "pasted-id")
	ada.Paste(secret, "changeme\t")
	if got := ada.notes(secret); !strings.Contains(got, "The stored Client ID stands in the place of Client secret. Copy the Client secret, and put it here.") {
		t.Errorf("the stored id in the place of the secret: %q", got)
	}
}

// Without scripts the server says the same, after saving and beside the values.
func TestDoubtsWithoutScripts(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.person(t)
	ada.Scripts(false)
	ada.SetUp()
	ada.Open("/config/new?connector=intercom")
	ada.Fill("Client ID", "\u200bclient-1 ")
	ada.Fill("Client secret", "Bearer kZ8vQ2mX7tR4wB9n")
	ada.Follow("Save as pending")
	ada.See("Saved as version 1, pending. Invisible characters were removed from a value", "Look at 1 value of version 1 again",
		"It begins with a name, or with a word like Bearer. Copy only what stands after that.",
		"1 white-space character was trimmed off its ends. Invisible characters were removed: U+200B zero width space.")
	ada.NotSee("kZ8vQ2mX7tR4wB9n")
	ada.In("[aria-labelledby=doubtful]").Follow("Edit")
	ada.In("[id='f.clientSecret-doubts']").See("It begins with a name")
}
