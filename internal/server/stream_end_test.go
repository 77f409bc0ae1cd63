package server

import (
	"testing"
	"time"

	"backoffice/internal/auth"
)

// Whoever is disabled, or whose session is ended, hears nothing more, at once: also
// where nothing happens that would be told.
func TestStreamsEndWithTheirSession(t *testing.T) {
	t.Parallel()
	boss := must(seeded())(t).owner
	ways := map[string]func(*house, auth.User) error{
		"disabled": func(h *house, u auth.User) error { return h.deps.Auth.Disable(t.Context(), by(boss), u.ID) },
		"ended": func(h *house, u auth.User) error {
			_, err := h.deps.Sessions.End(t.Context(), by(boss), auth.Ending{UserID: u.ID})
			return err
		},
	}
	for what, tt := range map[string]struct {
		paths []string
		held  bool // by a test that goes on
		first string
	}{
		"lists": {[]string{notificationEvents, "/config/acme:intercom/webhooks/events", auditNews}, false, "news"},
		"tests": {nil, true, "steps"},
	} {
		h := open(t, plan{})
		h.save("acme:intercom", nil)
		people, browsers, starter := map[string]auth.User{}, map[string]*person{}, h.owner()
		for how := range ways {
			people[how] = h.hire(how+"@acme.example", auth.Grant{Role: auth.Admin})
			browsers[how] = h.as(people[how])
		}
		if tt.held {
			defer h.hold()()
			address, _ := h.diagnose(starter, "1")
			tt.paths = []string{address + "/events"}
		}
		for how, end := range ways {
			heard := map[string]func() (string, string){}
			for _, path := range tt.paths {
				heard[path] = browsers[how].listen(path)
				if name, _ := heard[path](); name != tt.first {
					t.Fatalf("%s: %s begins with %q", what, path, name)
				}
			}
			if err := end(h, people[how]); err != nil {
				t.Fatal(err)
			}
			for path, next := range heard {
				over := make(chan struct{})
				go func() {
					defer close(over)
					for name, _ := next(); name == tt.first; name, _ = next() {
					}
				}()
				select {
				case <-over:
				case <-time.After(30 * time.Second): // by itself a list is told again after a minute
					t.Errorf("%s: %s goes on", how, path)
				}
			}
		}
	}
}

// The list of keys has no page that the person may not open.
func TestShortcutsOfARole(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.owner().get("/").want(200, "Go to the webhooks", "Go to the audit log", "Go to the configuration")
	h.as(h.hire("eye@acme.example", auth.Grant{Role: auth.Viewer})).get("/").want(200, "Go to the configuration").lacks("Go to the webhooks", "Go to the audit log")
	h.as(h.hire("ed@acme.example", auth.Grant{Role: auth.Editor})).get("/").want(200, "Go to the webhooks").lacks("Go to the audit log")
}
