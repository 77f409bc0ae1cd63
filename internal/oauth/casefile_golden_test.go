package oauth

import (
	"archive/zip"
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"backoffice/internal/secret"
)

var update = flag.Bool("update", false, "write the case files in testdata anew")

func newBox(t testing.TB) *secret.Box {
	t.Helper()
	keys, err := secret.Generate()
	if err != nil {
		t.Fatal(err)
	}
	_, box, err := keys.NewInstallation()
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func caseOf(t testing.TB, r Report, ids ...string) caseFile {
	t.Helper()
	return caseFile{report: newVeil(newBox(t), r, ids...).report(r), about: About{Version: "1.2.0", Environment: "staging", PublicURL: "https://backoffice.example.com"}, pace: DefaultLimits()}
}

// parts are the files of an archive, by their endings.
func parts(t testing.TB, archive []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		text, err := contentOf(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Ext(f.Name)] = text
	}
	return out
}

// fingerprints are of another key in every run of the tests.
var fingerprints = regexp.MustCompile(`\(([0-9a-f]{4}[ +%20]+){2}[0-9a-f]{4}\)|%28[0-9a-f]{4}\+[0-9a-f]{4}\+[0-9a-f]{4}%29`)

// Both files of a report of each kind, whole. With -update they are written
// anew; look at them then.
func TestCaseFilesOfEachKind(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Report{"diagnosis": sampleDiagnosis(), "consent": sampleConsent(), "token": sampleToken()} {
		archive, err := caseOf(t, r).archive()
		if err != nil {
			t.Fatal(err)
		}
		files := parts(t, archive)
		if len(files) != 2 {
			t.Fatalf("%s: %d files", name, len(files))
		}
		for _, f := range checkHAR([]byte(files[".har"])) {
			t.Errorf("%s: %s", name, f)
		}
		for _, f := range checkMarkdown(t, files[".md"]) {
			t.Errorf("%s: %s", name, f)
		}
		for ending, text := range files {
			path := filepath.Join("testdata", "casefile", name+ending)
			got := fingerprints.ReplaceAllString(text, "(fingerprint)")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s%s is not as it was:\n%s", name, ending, got)
			}
			for _, never := range []string{"CANARY", "rocket-client-1", "random-client-9", "owner@acme.example", "ada@acme.example", "kept by mistake", "nobody expected", "some odd value"} {
				if strings.Contains(text, never) {
					t.Errorf("%s%s has %q", name, ending, never)
				}
			}
		}
	}
}

// The same report gives the same bytes.
func TestCaseFileIsDeterministic(t *testing.T) {
	t.Parallel()
	c := caseOf(t, sampleDiagnosis())
	first, err := c.archive()
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.archive()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, again) {
		t.Error("two archives of one report differ")
	}
	z, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"backoffice-acme-rocket-20261122-101500.md", "backoffice-acme-rocket-20261122-101500.har"} {
		if f := z.File[i]; f.Name != want || !f.Modified.Equal(sampled) {
			t.Errorf("%s of %s, want %s of %s", f.Name, f.Modified, want, sampled)
		}
	}
}

// What would be given out is refused if a secret slipped through, wherever it
// stands and however it is spelled. The error names it and does not show it.
func TestCaseFileIsRefused(t *testing.T) {
	t.Parallel()
	const hidden = `CANARY+sec/ret=1&<a>"|` + "`z"
	var k knownSecrets
	k.addValue("clientSecret", 3, hidden)
	spots := map[string]func(*Report, string){
		"headline":   func(r *Report, s string) { r.Headline = s },
		"reason":     func(r *Report, s string) { r.Fields[0].Reason = "It says " + s },
		"value":      func(r *Report, s string) { r.Steps[1].Received[3].Value = "x" + s + "x" },
		"name":       func(r *Report, s string) { r.Steps[1].Received[3].Name = s },
		"note":       func(r *Report, s string) { r.Steps[1].Sent[1].Note = s },
		"URL":        func(r *Report, s string) { r.Steps[1].Exchange.URL = "https://api.rocket.example/" + s },
		"issuer":     func(r *Report, s string) { r.Steps[1].Exchange.TLS.Issuer = s },
		"header":     func(r *Report, s string) { r.Steps[1].Exchange.ResponseHeaders[0].Value = s },
		"remark":     func(r *Report, s string) { r.Steps[3].Received[3].Value = s },
		"permission": func(r *Report, s string) { r.Grants = []Grant{{Permission: s}} },
		"evidence":   func(r *Report, s string) { r.Grants = []Grant{{Evidence: "It says " + s}} },
		"provider":   func(r *Report, s string) { r.Provider = s },
	}
	for where, put := range spots {
		for _, spelled := range append(spellings(hidden), inside("client:" + hidden)[0]) {
			r := sampleDiagnosis()
			put(&r, spelled)
			c := caseOf(t, r)
			archive, err := c.archive()
			if err != nil {
				t.Fatal(err)
			}
			err = k.refuse(c, "x.zip", archive)
			if where == "URL" && strings.Contains(spelled, "?") {
				continue
			}
			if err == nil {
				t.Errorf("%s as %s is given out", where, spelled)
			} else if s := err.Error(); strings.Contains(s, spelled) || !strings.Contains(s, `"clientSecret" of version 3`) || !strings.Contains(s, "bug in this program") {
				t.Errorf("%s as %s: %v", where, spelled, err)
			}
		}
	}
	c := caseOf(t, sampleDiagnosis())
	archive, err := c.archive()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.refuse(c, "x.zip", archive); err != nil {
		t.Errorf("a file without a secret is refused: %v", err)
	}
	if err := k.refuse(c, hidden+".zip", archive); err == nil {
		t.Error("a name with a secret is given out")
	}
	var words knownSecrets
	for _, w := range []string{"true", "secret", "Client", "grant_type", "version"} {
		words.addValue("odd", 1, w)
	}
	if err := words.refuse(c, "x.zip", archive); err != nil {
		t.Errorf("our own words are taken for a secret: %v", err)
	}
}
