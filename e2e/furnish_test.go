package e2e

import (
	"fmt"
	"testing"
)

// furnish fills a house as it looks after some weeks of work: entries of
// several connectors in every state that there is.
func furnish(t *testing.T, house *program) {
	t.Helper()
	e := house.errand(t)
	sandbox := house.person(t)
	switches := func(change func(), then func()) {
		sandbox.Open(house.sandbox + "/")
		change()
		sandbox.Follow("Save switches")
		then()
		sandbox.Follow("Reset the sandbox")
	}
	const mistyped = "4d1f0a6be3c2975810fe6c3b7a29d8e54b7c1f02"

	e.intercom("acme:intercom", "current", "reason", "Move Intercom from the old wiki page")
	e.consent("acme:intercom", 1, "allow")
	e.change("acme:intercom", "then", "current", "reason", "Declare what the app may do", "scope", "read_single_admin", "scope", "Read admins",
		"scope", "read_conversations", "topic", "conversation.user.created", "topic", "contact.created", "key", "retries", "value", "3", "secret", "no")
	e.consent("acme:intercom", 2, "allow")
	e.change("acme:intercom", "f.clientSecret", mistyped, "reason", "Quarterly rotation", "key", "retries", "value", "5", "secret", "no",
		"scope", "read_single_admin", "scope", "Read admins", "topic", "conversation.user.created")
	e.consent("acme:intercom", 3, "allow")

	e.intercom("initech:intercom", "pending", "reason", "New customer")
	e.consent("initech:intercom", 1, "allow")
	e.diagnose("initech:intercom", 1)
	e.intercom("umbrella:intercom", "pending", "f.callbackUrl", "https://hooks.umbrella.example/oauth/a-rather-long-path/that-has-to-break-somewhere/intercom/callback")
	e.intercom("hooli:intercom", "current")
	e.consent("hooli:intercom", 1, "deny")
	e.intercom("wayne:intercom", "current")
	e.consent("wayne:intercom", 1, "allow")
	e.change("wayne:intercom", "f.apiVersion", "2.14", "then", "current", "reason", "Newer API")
	e.intercom("stark:intercom", "current")
	switches(func() { sandbox.Tick("Read one admin", false) }, func() { e.consent("stark:intercom", 1, "allow") })
	e.intercom("globex:intercom", "current", "f.clientSecret", mistyped)
	switches(func() { sandbox.Choose("Format of errors", "error and error_description (RFC 6749)") },
		func() { e.consent("globex:intercom", 1, "allow") })
	e.intercom("soylent:intercom", "current")
	switches(func() {
		sandbox.In(`[aria-labelledby="trouble-token-head"]`).Choose("What happens", "503 with an HTML page")
	},
		func() { e.consent("soylent:intercom", 1, "allow") })

	for i, c := range []string{"slack", "github", "hubspot", "notion", "dropbox", "asana", "linear", "figma", "discord", "zoom", "calendly", "airtable", "typeform"} {
		vendor := []string{"acme", "globex", "initech"}[i%3]
		then := []string{"current", "pending"}[i%2]
		if c == "slack" {
			vendor = "globex"
		}
		e.create(vendor+":"+c, c, "f.clientId", "0oa"+c+"7d1c", "f.clientSecret", mistyped[i:], "then", then)
	}
	e.create("hooli:slack", "slack", "f.clientId", "\u200byour-client-id ", "f.clientSecret", "Bearer "+mistyped, "f.botToken", mistyped, "then", "pending")
	e.create("acme:homemade", "", "key", "apiKey", "value", mistyped, "secret", "yes", "key", "sandbox", "value", "true", "secret", "no",
		"key", "limit", "value", "250", "secret", "no", "then", "current")
	e.create("initech:billing:invoices", "", "key", "token", "value", mistyped[3:], "secret", "yes")
	furnishApproval(t, house)
	furnishNews(t, house, e)
}

// furnishNews has notifications come in: accepted, repeated, and refused for
// several reasons.
func furnishNews(t *testing.T, house *program, e *errand) {
	t.Helper()
	_, secret := e.credentials()
	for i, n := range []posted{
		{topic: "conversation.user.created"}, {topic: "contact.user.created"}, {topic: "ping"}, {topic: "company.created"}, {topic: "company.created"},
		{topic: "conversation.user.created", secret: "0000000000000000000000000000000000000000"},
		{topic: "ticket.created", on: withoutSpaces}, {topic: "conversation.user.replied", secret: "none"},
	} {
		n.path, n.id = "acme/intercom", fmt.Sprintf("notif_ccd8a4d0-f965-11e3-a367-c779cae3e1%02d", i)
		switch n.secret {
		case "none":
			n.secret = ""
		case "":
			n.secret = secret
		}
		house.notify(t, n)
		if i == 4 {
			house.notify(t, n)
		}
	}
	house.notify(t, posted{path: "intercom", secret: "nobody's", topic: "<script>alert(1)</script>\u202e", id: "notif_\u202egnp.exe"})
}
