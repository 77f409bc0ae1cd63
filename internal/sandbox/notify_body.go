package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"strings"
)

const userAgent = "intercom-parrot-service-client/1.0" // documented

// A notification is one, whatever becomes of it on the way.
type notification struct {
	Delivery        // its Secret is the one that signs
	id       string // "" for the notification of an uninstallation
	at       int64  // unix seconds
	app      string
}

func (p *Provider) newNotification(d Delivery) notification {
	m := notification{Delivery: d, id: "notif_" + uuidOf(random(16)), at: p.now().Unix(), app: workspaces[0].ID}
	if d.Uninstall {
		m.id = ""
	}
	if d.Secret == "" {
		m.Secret = p.secret
		if d.Signing == SignedSecond || d.Signing == SignedRight && p.Faults().Secrets == SecondSecret {
			m.Secret = p.second
		}
	}
	if d.Signing == WrongSecret {
		m.Secret = hex.EncodeToString(random(20))
	}
	return m
}

func (m notification) topic() string {
	if m.Uninstall {
		return "uninstall"
	}
	return m.Topic
}

// A notified is the documented form of a notification, its members in the
// order of the documented example.
type notified struct {
	Type      string       `json:"type"`
	AppID     string       `json:"app_id"`
	Data      notifiedData `json:"data"`
	ID        string       `json:"id"`
	Topic     string       `json:"topic"`
	Attempts  int          `json:"delivery_attempts"`
	FirstSent int64        `json:"first_sent_at"`
	Created   int64        `json:"created_at"`
	Self      any          `json:"self"`
}

type notifiedData struct {
	Type string          `json:"type"`
	Item json.RawMessage `json:"item"`
}

// Items of the families of topics. Documented are the item of a company, that a
// deletion carries identifying fields only, merged_from, and where a ticket
// stands when it is closed or resolved. The rest is made up.
const (
	companyItem      = `{"type":"company","id":"531ee472cce572a6ec000006","name":"Example Company Inc.","company_id":"6","created_at":1394533506,"updated_at":1396874658,"custom_attributes":{}}`
	contactItem      = `{"type":"contact","id":"6762f0dd1bb69f9f2193bb83","role":"user","name":"Zoë Example","email":"zoe@customer.example","custom_attributes":{}}`
	conversationItem = `{"type":"conversation","id":"471","title":"A café — and more","state":"open","open":true}`
	ticketItem       = `{"type":"ticket","id":"39"}`
)

// item is what a notification of a topic is about.
func item(topic string) string {
	family, _, _ := strings.Cut(topic, ".")
	switch {
	case topic == "ping":
		return `{"type":"ping","message":"something something"}`
	case topic == "contact.merged":
		return `{"type":"contact","id":"6762f0dd1bb69f9f2193bb83","merged_from":{"type":"contact","id":"6762f0d31bb69f9f2193bb7f"}}`
	case topic == "ticket.closed":
		return `{"ticket":` + ticketItem + `}`
	case strings.HasSuffix(topic, ".deleted"):
		return fmt.Sprintf(`{"type":%q,"id":"471"}`, family)
	case family == "company":
		return companyItem
	case family == "contact":
		return contactItem
	case family == "conversation":
		return conversationItem
	case family == "ticket":
		return ticketItem
	}
	return fmt.Sprintf(`{"type":%q,"id":"39"}`, family)
}

// body is what is signed. That delivery_attempts counts a retry is not documented.
func (m notification) body(attempt int) []byte {
	if m.Uninstall {
		return []byte(`{"app_id":"` + m.app + `"}`)
	}
	b, err := json.Marshal(notified{Type: "notification_event", AppID: m.app, Data: notifiedData{"notification_event_data", json.RawMessage(item(m.Topic))},
		ID: m.id, Topic: m.Topic, Attempts: attempt, FirstSent: m.at, Created: m.at})
	if err != nil {
		panic(err) // the items above are JSON
	}
	return b
}

// request is an attempt as it leaves: signed, and then perhaps changed.
func (m notification) request(attempt int) ([]byte, http.Header) {
	body := m.body(attempt)
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": {userAgent}}
	if name, value := m.sign(body); name != "" {
		h.Set(name, value)
	}
	return m.Rewriting.rewrite(body), h
}

// sign returns the header of the signature. The uninstall notification has
// another than the rest, which is known from a third party only.
func (m notification) sign(body []byte) (name, value string) {
	newHash, name, prefix := sha1.New, "X-Hub-Signature", "sha1="
	if m.Uninstall {
		newHash, name, prefix = sha256.New, "X-Body-Signature", ""
	} else if m.Signing == OtherHash {
		newHash, prefix = sha256.New, "sha256="
	}
	digest := digestOf(newHash, m.Secret, body)
	switch m.Signing {
	case Unsigned:
		return "", ""
	case SignedBase64:
		return name, prefix + base64.StdEncoding.EncodeToString(digest)
	case NoPrefix:
		prefix = ""
	}
	return name, prefix + hex.EncodeToString(digest)
}

func digestOf(newHash func() hash.Hash, secret string, body []byte) []byte {
	mac := hmac.New(newHash, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}

// rewrite does what some proxies do.
func (r Rewriting) rewrite(body []byte) []byte {
	switch r {
	case Spaced:
		return spaced(body)
	case Reordered:
		return reordered(body)
	case Escaped:
		return escaped(body)
	case LineBreak:
		return append(body[:len(body):len(body)], '\n')
	}
	return body
}

// spaced puts a space after each comma and colon that is not in a text.
func spaced(body []byte) []byte {
	var out []byte
	inText := false
	for i, c := range body {
		out = append(out, c)
		if c == '"' && (i == 0 || body[i-1] != '\\') {
			inText = !inText
		}
		if !inText && (c == ',' || c == ':') {
			out = append(out, ' ')
		}
	}
	return out
}

func reordered(body []byte) []byte {
	var whole map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&whole) != nil {
		return body
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(whole) != nil {
		return body
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func escaped(body []byte) []byte {
	var out []byte
	for _, r := range string(body) {
		if r < 0x80 {
			out = append(out, byte(r))
			continue
		}
		out = fmt.Appendf(out, `\u%04x`, r) // the items have nothing beyond the first plane
	}
	return out
}
