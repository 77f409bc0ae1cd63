package connector

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func intercom(t *testing.T) *Definition {
	t.Helper()
	d, ok := builtin(t).Get("intercom")
	if !ok {
		t.Fatal("there is no intercom")
	}
	return d
}

func TestIntercom_regions(t *testing.T) {
	d := intercom(t)
	for _, c := range []struct{ region, label, authorize, api string }{
		{"", "United States", "https://app.intercom.com/oauth", "https://api.intercom.io"},
		{"US", "United States", "https://app.intercom.com/oauth", "https://api.intercom.io"},
		{"EU", "Europe", "https://app.eu.intercom.com/oauth", "https://api.eu.intercom.io"},
		{"AU", "Australia", "https://app.au.intercom.com/oauth", "https://api.au.intercom.io"},
	} {
		e, err := d.Resolve(map[string]string{"region": c.region, "apiVersion": "2.16"})
		if err != nil {
			t.Fatal(err)
		}
		if e.Region != c.label || e.Authorize != c.authorize || e.API != c.api || e.Identity != c.api+"/me" || e.Rehearsal {
			t.Errorf("%s resolves to %+v", c.region, e)
		}
		if e.Token != "https://api.intercom.io/auth/eagle/token" {
			t.Errorf("%s: the token address %s is not the global one", c.region, e.Token)
		}
		if len(e.IdentityHeaders) != 1 || e.IdentityHeaders["Intercom-Version"] != "2.16" {
			t.Errorf("%s: headers %v", c.region, e.IdentityHeaders)
		}
	}
	region, _ := d.Field("region")
	for _, o := range region.Options {
		if third := o.Value != "US"; third != strings.Contains(o.Note, "third parties only") {
			t.Errorf("region %s: note %q", o.Value, o.Note)
		}
	}
}

func TestIntercom_handshake(t *testing.T) {
	d := intercom(t)
	o := d.OAuth
	if o.ClientAuth != ClientSecretPost || o.PKCE || o.SendScopes || len(o.DefaultScopes) != 0 || len(o.AuthorizeParams) != 0 {
		t.Errorf("OAuth is %+v", o)
	}
	if !slices.Equal(o.TokenFields, []string{"access_token", "token"}) {
		t.Errorf("the token is read from %v", o.TokenFields)
	}
	if o.ClientIDKey != "clientId" || o.ClientSecretKey != "clientSecret" || o.RedirectKey != "callbackUrl" {
		t.Errorf("keys %q, %q, %q", o.ClientIDKey, o.ClientSecretKey, o.RedirectKey)
	}
	if d.Identity.Permission != "read_single_admin" {
		t.Errorf("/me needs %q", d.Identity.Permission)
	}
	var paths []string
	for _, f := range d.Identity.Facts {
		paths = append(paths, f.Path)
	}
	if want := []string{"app.name", "app.id_code", "app.region", "name", "email", "email_verified", "id"}; !slices.Equal(paths, want) {
		t.Errorf("facts %v, want %v", paths, want)
	}
	if l := d.RateLimit; l.Limit != "X-RateLimit-Limit" || l.Remaining != "X-RateLimit-Remaining" || l.Reset != "X-RateLimit-Reset" {
		t.Errorf("rate limit headers %+v", l)
	}
}

func TestIntercom_fields(t *testing.T) {
	d := intercom(t)
	for i, c := range []struct {
		key              string
		secret, required bool
		preset           string
		options          int
	}{
		{"clientId", false, true, "", 0},
		{"clientSecret", true, true, "", 0},
		{"region", false, true, "US", 3},
		{"apiVersion", false, true, "2.10", 23},
		{"webhookSecret", true, false, "", 0},
		{"callbackUrl", false, false, "", 0},
	} {
		if f := d.Fields[i]; f.Key != c.key || f.Secret != c.secret || f.Required != c.required || f.Default != c.preset || len(f.Options) != c.options || f.Kind != Text {
			t.Errorf("field %d is %+v, want %+v", i, f, c)
		}
	}
	if len(d.Fields) != 6 {
		t.Errorf("%d fields", len(d.Fields))
	}
	versions := map[string]bool{}
	for _, o := range d.Fields[3].Options {
		versions[o.Value] = true
	}
	for _, v := range strings.Fields("1.0 1.1 1.2 1.3 1.4 2.0 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12 2.13 2.14 2.15 2.16 Preview") {
		if !versions[v] {
			t.Errorf("version %s is missing", v)
		}
	}
	f, _ := d.Field("callbackUrl")
	for value, fits := range map[string]bool{"https://a.example/cb?x=1": true, "http://a.example/cb": false, "https://a.example/#x": false, "https://me@a.example": false} {
		if got := f.Check(value) == nil; got != fits {
			t.Errorf("callbackUrl %s fits: %v", value, got)
		}
	}
}

func TestIntercom_permissions(t *testing.T) {
	d := intercom(t)
	groups, names := map[string]int{}, []string{}
	for _, p := range d.Permissions {
		groups[p.Group]++
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	if groups["People and conversation data"] != 20 || groups["Workspace data"] != 13 || groups["Named in the table of topics"] != 4 || len(groups) != 3 {
		t.Errorf("groups %v", groups)
	}
	if want := strings.Fields("read_write_users read_conversations write_conversations delete_conversations_and_metrics write_tickets read_single_admin read_articles_scope read_write_articles_scope"); !slices.Equal(names, want) {
		t.Errorf("machine names %v, want %v", names, want)
	}
	for _, c := range []struct {
		guide, label string
		alias        bool
	}{
		{"read_conversations", "Read conversations", false},
		{"write_conversations", "Write conversations", false},
		{"read_contacts", "Read and list users and companies", true},
		{"write_contacts", "Write users and companies", true},
		{"read_teams", "Read admins", true},
	} {
		p, ok := d.Permission(c.guide)
		if !ok || p.Label != c.label {
			t.Errorf("%s leads to %q", c.guide, p.Label)
		}
		honest := strings.Contains(p.Note, "not an official mapping") || strings.Contains(p.Note, "not confirmed")
		if c.alias != slices.Contains(p.Aliases, c.guide) || c.alias != honest {
			t.Errorf("%s: aliases %v, note %q", c.guide, p.Aliases, p.Note)
		}
	}
}

func TestIntercom_topics(t *testing.T) {
	d := intercom(t)
	if len(d.Topics) != 106 {
		t.Errorf("%d topics, want 106", len(d.Topics))
	}
	needs := map[string]int{}
	for _, topic := range d.Topics {
		needs[strings.Join(topic.Needs, "|")]++
	}
	users := "Read and list users and companies|read_write_users|Read one user and one company"
	for _, c := range []struct {
		needs  string
		topics int
	}{
		{"Read admins", 6}, {"read_articles_scope", 5}, {"Read and list users and companies|Read one user and one company", 6}, {users, 19},
		{"Read content data", 15}, {"read_conversations", 4 + 19 + 1 + 1}, {"Read events", 1}, {"Read status of jobs", 1}, {"Read tickets", 12 + 1},
		{"Read content snippets", 3}, {"Read API activity logs", 1}, {"Read data connectors", 1}, {"Read audiences", 5}, {"Read content", 3}, {"", 2},
	} {
		if needs[c.needs] != c.topics {
			t.Errorf("%d topics need %q, want %d", needs[c.needs], c.needs, c.topics)
		}
		delete(needs, c.needs)
	}
	if len(needs) != 0 {
		t.Errorf("unexpected needs %v", needs)
	}
	for _, c := range []struct {
		topic, needs, note string
		always             bool
	}{
		{"contact.user.created", users, "disagrees with itself", false},
		{"conversation.read", "", "blank", false},
		{"ping", "", "Always subscribed", true},
		{"call.started", "read_conversations", "Intercom Phone only", false},
		{"ticket.resolved", "Read tickets", "2.15", false},
		{"audience.created", "Read audiences", "Preview", false},
		{"conversation.user.replied", "read_conversations", "", false},
	} {
		topic, ok := d.Topic(c.topic)
		if !ok || strings.Join(topic.Needs, "|") != c.needs || topic.Always != c.always || !strings.Contains(topic.Note, c.note) || (c.note == "") != (topic.Note == "") {
			t.Errorf("%s is %+v, want %+v", c.topic, topic, c)
		}
	}
}

func TestIntercom_webhooks(t *testing.T) {
	w := intercom(t).Webhooks
	if !slices.Equal(w.SecretKeys, []string{"webhookSecret", "clientSecret"}) {
		t.Errorf("signing secrets %v", w.SecretKeys)
	}
	for i, c := range []Signature{
		{Header: "X-Hub-Signature", Algorithm: "sha1", Encoding: "hex", Prefix: "sha1=", Signed: "{body}"},
		{Header: "X-Body-Signature", Algorithm: "sha256", Encoding: "hex", Signed: "{body}"},
	} {
		got := w.Signatures[i]
		if got.For == "" {
			t.Errorf("%s does not say what it is for", got.Header)
		}
		got.For = ""
		if got != c {
			t.Errorf("signature %d is %+v, want %+v", i, got, c)
		}
	}
	for i, c := range []struct{ alias, topics string }{
		{"contact.created", "contact.user.created contact.lead.created"},
		{"contact.updated", "contact.user.updated contact.lead.updated contact.email.updated"},
		{"conversation.created", "conversation.user.created conversation.admin.single.created"},
		{"conversation.updated", "conversation.user.replied"},
	} {
		a := w.Aliases[i]
		if a.Alias != c.alias || !strings.HasPrefix(strings.Join(a.Topics, " "), c.topics) || !strings.Contains(a.Note, "not confirmed") {
			t.Errorf("alias %d is %+v, want %+v", i, a, c)
		}
	}
	if len(w.Signatures) != 2 || len(w.Aliases) != 4 {
		t.Errorf("%d signatures, %d aliases", len(w.Signatures), len(w.Aliases))
	}
}

func TestIntercom_notifications(t *testing.T) {
	w := intercom(t).Webhooks
	if w.AnswerWithin != 5*time.Second || w.SlowAfter != 500*time.Millisecond || w.Refuse != 401 {
		t.Errorf("answers within %s, slow after %s, refused with %d", w.AnswerWithin, w.SlowAfter, w.Refuse)
	}
	if want := (NotificationReads{ID: "id", Topic: "topic", Account: "app_id", Happened: "created_at", FirstSent: "first_sent_at", Attempt: "delivery_attempts"}); w.Reads != want {
		t.Errorf("reads %+v", w.Reads)
	}
	for i, c := range []struct {
		label, first string
		addresses    int
	}{{"US", "34.231.68.152", 6}, {"EU", "54.217.125.63", 3}, {"AU", "52.63.36.185", 3}} {
		if s := w.Sources[i]; s.Label != c.label || len(s.Addresses) != c.addresses || s.Addresses[0] != c.first {
			t.Errorf("source %d is %+v", i, s)
		}
	}
}

// Every topic has a sample, and each says of itself what its topic is known to.
func TestIntercom_samples(t *testing.T) {
	d := intercom(t)
	for _, topic := range d.Topics {
		s, ok := d.Webhooks.Sample(topic.Name)
		if !ok {
			t.Errorf("%s has no sample", topic.Name)
			continue
		}
		body, err := s.Fill(SampleValues{ID: "notif_1", Topic: topic.Name, Account: "a86dr8yl", Now: time.Unix(1392731331, 0)})
		if err != nil {
			t.Fatal(err)
		}
		for _, has := range []string{`"type":"notification_event"`, `"app_id":"a86dr8yl"`, `"type":"notification_event_data"`, `"id":"notif_1"`,
			`"topic":"` + topic.Name + `"`, `"delivery_attempts":1`, `"first_sent_at":1392731331`, `"created_at":1392731331`} {
			if !strings.Contains(string(body), has) {
				t.Errorf("%s: no %s in %s", topic.Name, has, body)
			}
		}
		if g, ok := d.Webhooks.Signature(s); !ok || g.Header != "X-Hub-Signature" {
			t.Errorf("%s is signed with %+v", topic.Name, g)
		}
	}
	for _, c := range []struct{ topic, item string }{
		{"ping", `"item":{"type":"ping","message":`},
		{"company.created", `"item":{"type":"company","id":"531ee472cce572a6ec000006","name":"Example Company Inc.","company_id":"6","created_at":1394533506,"updated_at":1396874658,"custom_attributes":{}}`},
		{"company.deleted", `"item":{"type":"company","id":"531ee472cce572a6ec000006","company_id":"6"}`},
		{"contact.user.created", `"item":{"type":"contact","id":"contact-1"}`},
		{"contact.deleted", `"item":{"type":"contact","id":"contact-1"}`},
		{"contact.merged", `"item":{"type":"contact","id":"contact-1","merged_from":{"type":"contact","id":"contact-2"}}`},
		{"conversation.user.replied", `"item":{"type":"conversation","id":"conversation-1"}`},
		{"ticket.closed", `"item":{"ticket":{"type":"ticket","id":"ticket-1"}}`},
		{"ticket.resolved", `"item":{"type":"ticket","id":"ticket-1"}`},
		{"admin.logged_in", `"item":{"type":"admin","id":"admin-1"}`},
		{"event.created", `"item":{"id":"item-1"}`},
	} {
		s, _ := d.Webhooks.Sample(c.topic)
		if body, _ := s.Fill(SampleValues{}); !strings.Contains(string(body), c.item) {
			t.Errorf("%s: no %s in %s", c.topic, c.item, body)
		}
	}
}
