package webhook

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/errs"
)

// A Test is a notification that this program signed and sent to its own public
// address, and what became of it.
type Test struct {
	ID           string // of the provider, in the body
	Topic        string
	Status       int           // that the public address answered; 0 if there was no answer
	Took         time.Duration // until then
	Words        string        // the result, in a sentence or two
	Notification *Notification // what arrived; nil if nothing did
}

// OK reports whether it arrived as it was sent and was accepted.
func (t Test) OK() bool {
	return t.Notification != nil && t.Notification.Good() && t.Status == t.Notification.Status
}

// The limits of a test notification.
const (
	testTimeout = 8 * time.Second
	arriveTime  = 2 * time.Second // after the answer: it may have gone a way of its own
	testHeader  = "X-Backoffice-Test"
	testAccount = "backoffice-test"
)

// SendTest signs a sample of the definition with the entry's current secret, posts
// it to the entry's own address under the public URL, and follows it: what arrived
// with its id is returned. It returns an errs.NotFound, an errs.Field error on
// "topic", and an errs.Invalid if there is nothing to sign with. What becomes of
// the call is no error. That it was sent is an event.
func (s *Service) SendTest(ctx context.Context, by audit.Actor, id config.ID, topic string) (Test, error) {
	ctx = context.WithoutCancel(ctx)
	g, e, err := s.group(ctx, id)
	if err != nil {
		return Test{}, err
	}
	sample, scheme, err := sampleFor(g.def, topic)
	if err != nil {
		return Test{}, err
	}
	key, ok, err := s.signingKey(ctx, e, g.def)
	if err != nil {
		return Test{}, err
	}
	if !ok {
		return Test{}, nothingToSignWith(id)
	}
	path, _, err := s.Addresses(ctx, id)
	if err != nil {
		return Test{}, err
	}
	now := s.now()
	t := Test{ID: "test_" + rand.Text(), Topic: topic}
	body := []byte(strings.NewReplacer("{id}", t.ID, "{topic}", topic, "{now}", strconv.FormatInt(now.Unix(), 10), "{account}", testAccount).Replace(sample.Body))
	h := Sign(scheme, key.Secret, body, now)
	h.Set("Content-Type", "application/json")
	h.Set(testHeader, t.ID)
	setReads(h, g.def.Webhooks.Reads, t)
	out := s.tests.expect(t.ID, body)
	defer s.tests.forget(t.ID)
	to := s.publicURL.JoinPath("webhooks", path)
	got := s.post(ctx, sending{client: s.own.Client(egress.CallOptions{Timeout: testTimeout}), to: to, header: h, body: body})
	t.Status, t.Took = got.status, got.took
	arrival := out.wait(ctx)
	if arrival != nil {
		t.Notification = &arrival.n
	}
	t.Words = testWords(got, arrival, to.Host)
	return t, s.recordTest(ctx, by, e, t)
}

// setReads puts what the provider tells in headers where the definition looks for it.
func setReads(h http.Header, r connector.NotificationReads, t Test) {
	for place, value := range map[string]string{r.ID: t.ID, r.Topic: t.Topic, r.Account: testAccount} {
		if name, inHeader := strings.CutPrefix(place, headerWord); inHeader {
			h.Set(name, value)
		}
	}
}

// sampleFor finds the sample of a topic: the first that names it, or its beginning.
func sampleFor(def *connector.Definition, topic string) (connector.Sample, connector.Signature, error) {
	if _, ok := def.Topic(topic); !ok {
		return connector.Sample{}, connector.Signature{}, errs.Field("topic", "Choose one of the topics that the definition knows.")
	}
	for _, sample := range def.Webhooks.Samples {
		for _, name := range sample.Topics {
			start, isPrefix := strings.CutSuffix(name, "*")
			if name != topic && !(isPrefix && strings.HasPrefix(topic, start)) {
				continue
			}
			if scheme, ok := schemeOf(def.Webhooks, sample.Header); ok {
				return sample, scheme, nil
			}
		}
	}
	return connector.Sample{}, connector.Signature{}, errs.Field("topic", fmt.Sprintf("The definition of %s has no sample for this topic, so no test notification can be made of it. Choose another topic.", def.Name))
}

// testWords says what became of a test notification.
func testWords(got sent, a *arrival, host string) string {
	switch {
	case a == nil && got.failed != nil:
		return "It did not arrive: " + got.failed.Msg
	case a == nil && got.location != "":
		return fmt.Sprintf("It did not arrive: %s answered %s, a redirect to %s. Providers do not follow it: register the address that it leads to, or have the proxy pass it on.", host, statusWords(got.status), got.location)
	case a == nil && got.status == http.StatusTooManyRequests:
		return "It did not arrive: too many notifications came from this machine's address. Wait a minute and send it again."
	case a == nil && got.status >= 200 && got.status < 300:
		return fmt.Sprintf("It did not arrive: %s answered %s, but another program gave that answer. Check where the public URL leads to.", host, statusWords(got.status))
	case a == nil:
		return fmt.Sprintf("It did not arrive: %s answered %s. Have the proxy pass POST requests to /webhooks/ on to this program.", host, statusWords(got.status))
	case a.changed:
		return "It arrived with another body than it was sent with, so its signature does not hold. Have the proxy pass bodies on as they come, byte for byte."
	case !a.n.Good():
		return "It arrived with its body unchanged and was refused: " + string(a.n.Verdict) + ". Its page says why."
	case got.failed != nil:
		return "It arrived and was accepted, but the answer did not come back: " + got.failed.Msg
	case got.status != a.n.Status:
		return fmt.Sprintf("It arrived and was accepted with %d, but %s answered %s. Have the proxy pass answers on.", a.n.Status, host, statusWords(got.status))
	}
	return "It arrived as it was sent, its signature holds, and it was accepted."
}

func (s *Service) recordTest(ctx context.Context, by audit.Actor, e config.Entry, t Test) error {
	outcome := audit.Failed
	if t.OK() {
		outcome = audit.Done
	}
	err := audit.Record(ctx, s.store, audit.Event{Time: s.now().UTC(), Actor: by, Action: audit.NotificationTested, Target: string(e.ID), Version: e.Current,
		Outcome: outcome, Note: fmt.Sprintf("Topic %s. %s", t.Topic, t.Words)})
	if err != nil {
		return fmt.Errorf("recording a test notification for %s: %w", e.ID, err)
	}
	return nil
}

// tests are the test notifications that are under way, by their id, which nobody
// can guess.
type tests struct {
	mu sync.Mutex
	of map[string]*outgoing
}

// An outgoing is a test notification that has not arrived yet.
type outgoing struct {
	body    []byte
	arrived chan arrival // has room for one
}

// An arrival is what arrived of it.
type arrival struct {
	n       Notification
	changed bool // with another body
}

func (x *tests) expect(id string, body []byte) *outgoing {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.of == nil {
		x.of = map[string]*outgoing{}
	}
	t := &outgoing{body: body, arrived: make(chan arrival, 1)}
	x.of[id] = t
	return t
}

func (x *tests) forget(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.of, id)
}

// find finds the test that a request is, by the header or by the id in its body: a
// proxy may have taken one of them.
func (x *tests) find(h http.Header, providerID string) *outgoing {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.of) == 0 {
		return nil
	}
	if t := x.of[h.Get(testHeader)]; t != nil {
		return t
	}
	return x.of[providerID]
}

// arrive tells who waits for the test. A nil one is none.
func (t *outgoing) arrive(n Notification, body []byte) {
	if t == nil {
		return
	}
	select {
	case t.arrived <- arrival{n, !bytes.Equal(body, t.body)}:
	default: // it came twice, and the first time counts
	}
}

// wait returns what arrived, or nil if nothing does in time. What came before the
// answer is there already.
func (t *outgoing) wait(ctx context.Context) *arrival {
	ctx, cancel := context.WithTimeout(ctx, arriveTime)
	defer cancel()
	select {
	case a := <-t.arrived:
		return &a
	case <-ctx.Done():
		return nil
	}
}
