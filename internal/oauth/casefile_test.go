package oauth_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

var about = oauth.About{Version: "1.2.0", Environment: "staging", PublicURL: publicURL}

// export is the case file of a report, with what holds for all of them: it is
// whole, both files are what they say, and nothing in them is a secret.
func (r *rig) export(rep oauth.Report, canaries ...string) (md, har string) {
	r.t.Helper()
	name, archive, err := r.oauth.CaseFile(r.t.Context(), by, oauth.Ref{Entry: rep.Entry, Report: rep.ID}, about)
	must(r.t, err)
	if want := "backoffice-acme-rocket-" + rep.Started.Format("20060102-150405") + ".zip"; name != want {
		r.t.Errorf("the file is called %q, want %q", name, want)
	}
	files := oauth.Parts(r.t, archive)
	for _, f := range append(oauth.CheckHAR([]byte(files[".har"])), oauth.CheckMarkdown(r.t, files[".md"])...) {
		r.t.Error(f)
	}
	for ending, text := range files {
		if found := leaks(text, append(canaries, clientID, by.Name)...); len(found) > 0 {
			r.t.Errorf("the %s file has %q", ending, found)
		}
	}
	return files[".md"], files[".har"]
}

// entries are the calls in a HAR log, with what a reader looks for first.
func entries(t *testing.T, har string) (out []string) {
	t.Helper()
	type pair struct{ Name, Value string }
	var log struct {
		Log struct {
			Entries []struct {
				Request struct {
					Method, URL string
					Headers     []pair
					PostData    struct{ Params []pair }
				}
				Response struct {
					Status  int
					Content struct{ Comment string }
				}
			}
		}
	}
	must(t, json.Unmarshal([]byte(har), &log))
	for _, e := range log.Log.Entries {
		names := []string{}
		for _, p := range append(e.Request.Headers, e.Request.PostData.Params...) {
			names = append(names, p.Name)
		}
		out = append(out, fmt.Sprintf("%s %s %d %s", e.Request.Method, e.Request.URL[strings.LastIndexByte(e.Request.URL, '/'):], e.Response.Status, strings.Join(names, ",")))
	}
	return out
}

// A real consent run, with each way of client authentication, comes out as what
// was sent and received.
func TestCaseFileOfAConsentRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ auth, token string }{
		{"post", "POST /token 200 grant_type,code,redirect_uri,client_id,client_secret"},
		{"basic", "POST /token 200 Authorization,grant_type,code,redirect_uri"},
	} {
		r := newRig(t, setup{definition: "  clientAuth: " + tt.auth})
		rep := r.run()
		md, har := r.export(rep)
		if got, want := strings.Join(entries(t, har), "\n"), tt.token+"\nGET /me 200 Authorization,Rocket-Version"; got != want {
			t.Errorf("%s: the calls are\n%s\nwant\n%s", tt.auth, got, want)
		}
		fingerprint := r.box.Fingerprint(clientSecret).String()
		for what, text := range map[string]string{"md": md, "har": har} {
			if !strings.Contains(text, fingerprint) || !strings.Contains(text, "rock… ("+r.box.Fingerprint(clientID).String()+")") && what == "md" {
				t.Errorf("%s: the %s file does not tell secret and client id by fingerprint", tt.auth, what)
			}
		}
		for _, want := range []string{"| Program | `BackOffice 1.2.0` |", "| Environment | `staging` |", "| Tested | version 1 |", "| Provider | `Rocket` |", "| Test | consent run |",
			"| Client secret | ok |", "| query | `state` | `[removed]` |", "The code was sent once."} {
			if !strings.Contains(md, want) {
				t.Errorf("%s: the Markdown file lacks %q", tt.auth, want)
			}
		}
		_, again := r.export(rep)
		if again != har {
			t.Errorf("%s: a second export differs", tt.auth)
		}
	}
}

// The other kinds of run that this room keeps.
func TestCaseFileOfOtherRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	rep := r.report(r.oauth.TestToken(t.Context(), by, id, 1, secret.NewText(accessToken)))
	md, har := r.export(rep)
	if got := entries(t, har); len(got) != 1 || got[0] != "GET /me 200 Authorization,Rocket-Version" || !strings.Contains(md, "| Test | access token |") {
		t.Errorf("the calls of a token run are %q", got)
	}
	r.clock.pass(time.Hour)
	unsaved := config.Draft{ID: id, Base: 1, Revision: 1, Then: config.Pend, Values: []config.Input{{Key: "clientId", Value: config.TextValue(secret.NewText("unsaved-client-5"))},
		{Key: "clientSecret", Secret: true, Value: config.TextValue(secret.NewText("CANARY-typed-into-a-form"))}, {Key: "region", Value: config.TextValue(secret.NewText("US"))}}}
	for name, begin := range map[string]func() (oauth.Ref, error){
		"version 1": func() (oauth.Ref, error) { return r.oauth.Diagnose(t.Context(), by, id, 1) },
		"values that were not saved, edited from version 1": func() (oauth.Ref, error) { return r.oauth.DiagnoseDraft(t.Context(), by, unsaved) },
	} {
		r.clock.pass(time.Hour)
		ref, err := begin()
		must(t, err)
		live, _ := r.oauth.Live(ref.Report)
		for p := live.Progress(); !p.Done; p = live.Next(t.Context(), len(p.Report.Steps), p.Doing) {
		}
		rep := r.report(ref, nil)
		if md, _ := r.export(rep, "unsaved-client-5", "CANARY-typed-into-a-form"); !strings.Contains(md, "| Tested | "+name+" |") || !strings.Contains(md, "| Test | without consent |") {
			t.Errorf("the case file of %s says:\n%s", name, md)
		}
	}
	r.oauth.Close()
}

// A provider that repeats the secret, in whatever spelling, does not get it into
// a case file, and does not keep one from being made.
func TestCaseFileOfAnEcho(t *testing.T) {
	t.Parallel()
	quoted, err := json.Marshal(clientSecret)
	must(t, err)
	var numeric strings.Builder
	for _, c := range clientSecret {
		fmt.Fprintf(&numeric, "&#%d;", c)
	}
	for name, echo := range map[string]string{
		"raw": clientSecret, "JSON": strings.Trim(string(quoted), `"`), "upper": strings.ToUpper(clientSecret), "hex": hex.EncodeToString([]byte(clientSecret)),
		"base64": base64.StdEncoding.EncodeToString([]byte(clientSecret)), "inside": base64.StdEncoding.EncodeToString([]byte("xy" + clientSecret + "z")),
		"Basic": "Basic " + base64.StdEncoding.EncodeToString([]byte(clientID+":"+clientSecret)), "markdown": "](https://evil.example) | <img src=x> `" + clientSecret,
		"references": numeric.String(), "id": "client " + clientID + " is unknown",
	} {
		body, err := json.Marshal(map[string]string{"error": "invalid_client", "error_description": "You sent " + echo})
		must(t, err)
		r := newRig(t, setup{})
		r.provider.token = answer(http.StatusUnauthorized, string(body), "X-Request-Id", echo)
		if md, _ := r.export(r.run(), echo); !strings.Contains(md, "`You sent") && !strings.Contains(md, "| `error_description` | `[removed]` |") {
			t.Errorf("%s: the description is not in the file", name)
		}
	}
}

// If a secret of the tested version, of a labelled one, or of the one that is
// accepted for a while slipped into a stored report, nothing is given out, and
// the log says so without it.
func TestCaseFileWithASecretIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	rep := r.run()
	r.save(1, map[string]string{"clientSecret": "CANARY-pending-4d4d"}, nil, config.Pend)
	for version, canary := range map[int]string{1: clientSecret, 2: "CANARY-pending-4d4d"} {
		original := r.tamper(rep, "Rocket", canary)
		_, archive, err := r.oauth.CaseFile(t.Context(), by, oauth.Ref{Entry: id, Report: rep.ID}, about)
		kind, words := errs.Of(err)
		if kind != errs.Internal || !strings.Contains(words, "bug in this program") || archive != nil {
			t.Errorf("version %d: %v, %d bytes", version, err, len(archive))
		} else if found := leaks(err.Error(), canary); len(found) > 0 || !strings.Contains(err.Error(), fmt.Sprintf(`"clientSecret" of version %d`, version)) {
			t.Errorf("version %d: the error is %q", version, err)
		}
		if e := r.events(audit.CaseExported)[0]; e.Outcome != audit.Failed || e.Target != string(id) || len(leaks(fmt.Sprint(e), canary)) > 0 {
			t.Errorf("version %d: the event is %+v", version, e)
		}
		r.restore(rep, original)
	}
	r.export(rep, "CANARY-pending-4d4d")
}

func (r *rig) tamper(rep oauth.Report, old, new string) (original []byte) {
	r.t.Helper()
	quoted, err := json.Marshal(new)
	must(r.t, err)
	must(r.t, r.raw.View(r.t.Context(), func(rd store.Reader) (err error) {
		original, err = rd.Get("oauth/report/" + string(rep.Entry) + "/" + rep.ID)
		return err
	}))
	r.restore(rep, []byte(strings.ReplaceAll(string(original), old, strings.Trim(string(quoted), `"`))))
	return original
}

func (r *rig) restore(rep oauth.Report, record []byte) {
	r.t.Helper()
	must(r.t, r.raw.Update(r.t.Context(), func(tx store.Tx) error {
		tx.Put("oauth/report/"+string(rep.Entry)+"/"+rep.ID, record)
		return nil
	}))
}

// An export is an event, and what cannot be recorded is not given out.
func TestCaseFileIsOnRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	rep := r.run()
	r.export(rep)
	list := r.events(audit.CaseExported)
	if len(list) != 1 || list[0].Actor != by || list[0].Target != string(id) || list[0].Version != 1 || list[0].Outcome != audit.Done || list[0].Note != "The run of 2026-09-17 12:00:00 UTC." {
		t.Errorf("the events are %+v", list)
	}
	for _, ref := range []oauth.Ref{{Entry: id, Report: "20260917-120000.000-00000000"}, {Entry: "acme:other", Report: rep.ID}, {Entry: id, Report: "../x"}} {
		if _, archive, err := r.oauth.CaseFile(t.Context(), by, ref, about); !errs.Is(err, errs.NotFound) || archive != nil {
			t.Errorf("%v: %v", ref, err)
		}
	}
	if n := len(r.events(audit.CaseExported)); n != 1 {
		t.Errorf("%d events after what is not there", n)
	}
	must(t, r.raw.Update(t.Context(), func(tx store.Tx) error { tx.Put("audit/size", []byte("no number")); return nil }))
	if _, archive, err := r.oauth.CaseFile(t.Context(), by, oauth.Ref{Entry: id, Report: rep.ID}, about); err == nil || archive != nil {
		t.Errorf("without a record: %v, %d bytes", err, len(archive))
	}
}

// Every line of a run says where in its message it stood: a HAR file cannot
// guess it of a name that a definition has made up.
func TestLinesSayTheirPlace(t *testing.T) {
	t.Parallel()
	for _, u := range []setup{{definition: "  clientAuth: post\n  pkce: true\n  sendScopes: true\n  scopeDelimiter: ' '", scopes: []string{"read_me"}}, {definition: "  clientAuth: basic"}} {
		r := newRig(t, u)
		r.provider.token = answer(200, `{"access_token":"`+accessToken+`","token_type":"Bearer","scope":"read_me"}`, "X-Request-Id", "r-1", "Location", "https://x.example/y")
		r.provider.identity = answer(403, `{"error":"forbidden"}`)
		lines := 0
		for _, st := range append(r.run().Steps, r.diagnose(1).Steps...) {
			for _, l := range append(st.Sent, st.Received...) {
				lines++
				if begins := slices.Contains([]string{"GET", "POST", "CONNECT", "Status"}, l.Name); begins != (l.In == oauth.AtStart) {
					t.Errorf("%s: the line %q is at %v", st.Name, l.Name, l.In)
				}
			}
		}
		if lines < 20 {
			t.Errorf("only %d lines", lines)
		}
	}
}
