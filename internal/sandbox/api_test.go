package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"backoffice/internal/sandbox"
)

func tokenRequest(p http.Handler, body, authorization string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, "/auth/eagle/token", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", authorization)
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, req)
	return rec
}

// bearer is the header of a fresh good token.
func (r *rig) bearer() []string { return []string{"Authorization", "Bearer " + r.TestToken()} }

func TestReads(t *testing.T) {
	for path, want := range map[string]struct {
		kind, member string
		count        int
	}{
		"/me":                              {"admin", "app", 9},
		"/admins":                          {"admin.list", "admins", 2},
		"/teams":                           {"team.list", "teams", 2},
		"/contacts":                        {"list", "data", 3},
		"/contacts?per_page=1":             {"list", "data", 1},
		"/contacts?page=9":                 {"list", "data", 0},
		"/conversations":                   {"conversation.list", "conversations", 2},
		"/conversations?per_page=1&page=2": {"conversation.list", "conversations", 1},
		"/tags":                            {"list", "data", 2},
		"/articles":                        {"list", "data", 1},
	} {
		r := start(t, sandbox.Faults{})
		res := r.get(path, r.bearer()...)
		body := decode(t, res.body)
		count := -1
		switch m := body[want.member].(type) {
		case []any:
			count = len(m)
		case map[string]any:
			count = len(m)
		}
		if path == "/me" {
			want.count = 8
		}
		if res.StatusCode != 200 || body["type"] != want.kind || count != want.count || res.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %d, %d in %s", path, res.StatusCode, count, res.body)
		}
	}
}

func TestAPIRefusals(t *testing.T) {
	without := func(p ...sandbox.Permission) sandbox.Faults {
		return sandbox.Faults{Missing: sandbox.PermissionSet(p...)}
	}
	scope := func(name string) string {
		return "You do not have the required scope (" + name + ") to access this resource"
	}
	const unavailable = "Requested resource is not available in current API version."
	tests := []struct {
		name   string
		faults sandbox.Faults
		path   string
		auth   string // "": a good token
		header string // Intercom-Version
		status int
		code   string
		words  string
	}{
		{"good", sandbox.Faults{}, "/me", "", "2.10", 200, "", ""},
		{"no token", sandbox.Faults{}, "/me", "-", "", 401, "unauthorized", "Access Token Invalid"},
		{"bad token", sandbox.Faults{}, "/me", "Bearer dG9rOg==", "", 401, "unauthorized", "Access Token Invalid"},
		{"basic", sandbox.Faults{}, "/me", "Basic dG9rOg==", "", 401, "unauthorized", "Access Token Invalid"},
		{"empty token", sandbox.Faults{}, "/me", "Bearer ", "", 401, "unauthorized", "Access Token Invalid"},
		{"wrong region", sandbox.Faults{WrongRegion: true}, "/me", "", "", 401, "unauthorized", "Access Token Invalid"},
		{"me", without(sandbox.ReadOneAdmin), "/me", "", "", 403, "forbidden", scope("read_single_admin")},
		{"me, 401", sandbox.Faults{Missing: sandbox.PermissionSet(sandbox.ReadOneAdmin), AdminRefusal: sandbox.Unauthorized401}, "/me", "", "", 401, "token_unauthorized", "Not authorized to access resource"},
		{"me by read admins", sandbox.Faults{Missing: sandbox.PermissionSet(sandbox.ReadOneAdmin), AdminsEnough: true}, "/me", "", "", 200, "", ""},
		{"me by neither", sandbox.Faults{Missing: sandbox.PermissionSet(sandbox.ReadOneAdmin, sandbox.ReadAdmins), AdminsEnough: true}, "/me", "", "", 403, "forbidden", scope("read_single_admin")},
		{"me is not read admins", without(sandbox.ReadAdmins), "/me", "", "", 200, "", ""},
		{"admins", without(sandbox.ReadAdmins), "/admins", "", "", 403, "forbidden", scope("Read admins")},
		{"admins, 401 is for me alone", sandbox.Faults{Missing: sandbox.PermissionSet(sandbox.ReadAdmins), AdminRefusal: sandbox.Unauthorized401}, "/admins", "", "", 403, "forbidden", scope("Read admins")},
		{"teams", without(sandbox.ReadAdmins), "/teams", "", "", 403, "forbidden", scope("Read admins")},
		{"teams for free", sandbox.Faults{Missing: sandbox.PermissionSet(sandbox.ReadAdmins), TeamsFree: true}, "/teams", "", "", 200, "", ""},
		{"contacts", without(sandbox.ReadUsers), "/contacts", "", "", 403, "forbidden", scope("Read and list users and companies")},
		{"conversations", without(sandbox.ReadConversations), "/conversations", "", "", 403, "forbidden", scope("read_conversations")},
		{"tags", without(sandbox.ReadTags), "/tags", "", "", 403, "forbidden", scope("Read tags")},
		{"articles", without(sandbox.ReadArticles), "/articles", "", "", 403, "forbidden", scope("read_articles_scope")},
		{"version missing", sandbox.Faults{}, "/me", "", "", 200, "", ""},
		{"version required", sandbox.Faults{VersionRequired: true}, "/me", "", "", 400, "intercom_version_invalid", unavailable},
		{"version 2.16", sandbox.Faults{}, "/me", "", "2.16", 200, "", ""},
		{"version Preview", sandbox.Faults{}, "/me", "", "Preview", 200, "", ""},
		{"version 1.0", sandbox.Faults{}, "/me", "", "1.0", 200, "", ""},
		{"version 2.17", sandbox.Faults{}, "/me", "", "2.17", 400, "intercom_version_invalid", unavailable},
		{"version 2.17 on", sandbox.Faults{Version217: true}, "/me", "", "2.17", 200, "", ""},
		{"version Unstable", sandbox.Faults{}, "/me", "", "Unstable", 400, "intercom_version_invalid", unavailable},
		{"version Unstable on", sandbox.Faults{Unstable: true}, "/me", "", "Unstable", 200, "", ""},
		{"version 2.100", sandbox.Faults{VersionMessage: sandbox.VersionNotFound}, "/me", "", "2.100", 400, "intercom_version_invalid", "The requested version could not be found"},
		{"bad per_page", sandbox.Faults{}, "/contacts?per_page=0", "", "", 400, "parameter_invalid", "page and per_page must be positive numbers"},
		{"bad page", sandbox.Faults{}, "/contacts?page=x", "", "", 400, "parameter_invalid", "page and per_page must be positive numbers"},
		{"unknown path", sandbox.Faults{}, "/nothing", "", "", 404, "not_found", "Resource Not Found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, tt.faults)
			header := r.bearer()
			switch tt.auth {
			case "":
			case "-":
				header = nil
			default:
				header[1] = tt.auth
			}
			if tt.header != "" {
				header = append(header, "Intercom-Version", tt.header)
			}
			res := r.get(tt.path, header...)
			code, words := "", ""
			if res.StatusCode != 200 {
				code, words = fault(t, res.body)
				if decode(t, res.body)["request_id"] != res.Header.Get("X-Request-Id") {
					t.Error("request_id is not the header's")
				}
			}
			if res.StatusCode != tt.status || code != tt.code || words != tt.words {
				t.Errorf("got %d %s %q", res.StatusCode, code, words)
			}
			if res.Header.Get("X-RateLimit-Limit") != "1666" || res.Header.Get("X-RateLimit-Remaining") != "1665" || res.Header.Get("X-RateLimit-Reset") == "" || res.Header.Get("X-Request-Id") == "" {
				t.Errorf("headers: %v", res.Header)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	tests := []struct {
		region sandbox.Region
		email  sandbox.Email
		want   string
		verify any
	}{
		{sandbox.RegionOfWorkspace, sandbox.EmailVerified, "US", true},
		{sandbox.RegionUS, sandbox.EmailUnverified, "US", false},
		{sandbox.RegionEU, sandbox.EmailNull, "EU", nil},
		{sandbox.RegionAU, sandbox.EmailVerified, "AU", true},
	}
	for _, tt := range tests {
		r := start(t, sandbox.Faults{Region: tt.region, Email: tt.email})
		body := decode(t, r.get("/me", r.bearer()...).body)
		app, _ := body["app"].(map[string]any)
		verified, there := body["email_verified"]
		if app["region"] != tt.want || verified != tt.verify || !there {
			t.Errorf("%+v: %v", tt, body)
		}
	}
}

func TestRateLimit(t *testing.T) {
	r := start(t, sandbox.Faults{Limit: 2})
	header := r.bearer()
	reset := strconv.FormatInt(r.clock.now().Unix()+10, 10)
	for i, want := range []struct {
		status    int
		remaining string
	}{{200, "1"}, {200, "0"}, {429, "0"}, {429, "0"}} {
		res := r.get("/tags", header...)
		if res.StatusCode != want.status || res.Header.Get("X-RateLimit-Limit") != "2" || res.Header.Get("X-RateLimit-Remaining") != want.remaining || res.Header.Get("X-RateLimit-Reset") != reset {
			t.Errorf("request %d: %d %v", i, res.StatusCode, res.Header)
		}
		if res.StatusCode == 429 {
			if code, words := fault(t, res.body); code != "rate_limit_exceeded" || words != "The rate limit for the App has been exceeded" {
				t.Errorf("429: %s %q", code, words)
			}
		}
	}
	if res := r.post("/auth/eagle/token", r.form(r.code())); res.StatusCode != 200 || res.Header.Get("X-RateLimit-Limit") != "" {
		t.Errorf("the token endpoint counts: %d %v", res.StatusCode, res.Header)
	}
	r.clock.forward(10 * time.Second)
	if got := r.get("/tags", header...).StatusCode; got != 200 {
		t.Errorf("in the next window: %d", got)
	}
	r.Set(sandbox.Faults{Limit: 1, TokenCounts: true})
	if got := r.post("/auth/eagle/token", r.form(r.code())).StatusCode; got != 429 {
		t.Errorf("the token endpoint does not count: %d", got)
	}
}
