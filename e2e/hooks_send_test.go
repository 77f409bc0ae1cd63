package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A posted notification, as Intercom sends them.
type posted struct {
	path   string // below /webhooks/
	secret string // that signs; "" sends no signature
	topic  string
	id     string
	on     func(body string) string // what a proxy on the way makes of the body; nil leaves it as it is
}

// body is a notification with a space after each colon, as a provider may write it.
func (n posted) body() string {
	return fmt.Sprintf(`{"type": "notification_event", "app_id": "a86dr8yl", "data": {"type": "notification_event_data", "item": {"type": "company", "id": "531ee472cce572a6ec000006", "name": "Example Company Inc."}}, "id": %q, "topic": %q, "delivery_attempts": 1, "first_sent_at": 1789655401, "created_at": 1789655391}`, n.id, n.topic)
}

// signature is X-Hub-Signature of what the provider wrote.
func (n posted) signature() string {
	mac := hmac.New(sha1.New, []byte(n.secret))
	io.WriteString(mac, n.body())
	return "sha1=" + hex.EncodeToString(mac.Sum(nil))
}

// notify posts a notification and returns the status of the answer.
func (h *program) notify(t *testing.T, n posted) int {
	t.Helper()
	body := n.body()
	if n.on != nil {
		body = n.on(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/webhooks/"+n.path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "intercom-parrot-service-client/1.0")
	if n.secret != "" {
		req.Header.Set("X-Hub-Signature", n.signature())
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if said, err := io.ReadAll(res.Body); err != nil || len(said) > 0 {
		t.Errorf("the answer says %q, %v", said, err)
	}
	return res.StatusCode
}

// withoutSpaces is what a proxy makes of JSON that reads and writes it anew.
func withoutSpaces(body string) string {
	return strings.NewReplacer(`: `, `:`, `, "`, `,"`).Replace(body)
}
