package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// get asks the handler for url and returns the answer, which is not decompressed.
func get(t *testing.T, method, url, accept string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, url, nil)
	r.Header.Set("Accept-Encoding", accept)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestEveryFileIsServedForEver(t *testing.T) {
	for name, a := range loaded().assets {
		res := get(t, "GET", URL(name), "")
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 200 || !bytes.Equal(body, a.plain) {
			t.Errorf("%s: status %d, %d bytes; want 200 and %d bytes", name, res.StatusCode, len(body), len(a.plain))
		}
		if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: Cache-Control is %q", name, got)
		}
		if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options is %q", name, got)
		}
	}
}

func TestTypes(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"app.css", "text/css; charset=utf-8"},
		{"app.js", "text/javascript; charset=utf-8"},
		{"icons.svg", "image/svg+xml"},
		{"htmx.LICENSE.txt", "text/plain; charset=utf-8"},
	} {
		if got := get(t, "GET", URL(tt.name), "").Header.Get("Content-Type"); got != tt.want {
			t.Errorf("%s is sent as %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestCompression(t *testing.T) {
	for _, tt := range []struct{ accept, want string }{
		{"gzip, deflate, br", "gzip"},
		{"br, GZIP;q=0.5", "gzip"},
		{"gzip;q=0, deflate", ""},
		{"gzipped", ""},
		{"", ""},
	} {
		res := get(t, "GET", URL("app.css"), tt.accept)
		if got := res.Header.Get("Content-Encoding"); got != tt.want {
			t.Errorf("Accept-Encoding %q: sent as %q, want %q", tt.accept, got, tt.want)
		}
		if got := res.Header.Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Vary is %q", tt.accept, got)
		}
	}
	zr, err := gzip.NewReader(get(t, "GET", URL("app.css"), "gzip").Body)
	if err != nil {
		t.Fatal(err)
	}
	if plain, _ := io.ReadAll(zr); !bytes.Equal(plain, loaded().assets["app.css"].plain) {
		t.Error("what was compressed is not what was embedded")
	}
}

func TestOtherAddressesAreNotFound(t *testing.T) {
	for _, tt := range []struct {
		method, url string
		status      int
	}{
		{"GET", "/static/app.css", 404},
		{"GET", "/static/0000000000000000/app.css", 404},
		{"GET", strings.TrimSuffix(URL("app.css"), "app.css"), 404},
		{"GET", URL("app.css") + "/../web.go", 404},
		{"POST", URL("app.css"), 405},
		{"HEAD", URL("app.css"), 200},
	} {
		if res := get(t, tt.method, tt.url, ""); res.StatusCode != tt.status {
			t.Errorf("%s %s: status %d, want %d", tt.method, tt.url, res.StatusCode, tt.status)
		}
	}
	if body, _ := io.ReadAll(get(t, "HEAD", URL("app.css"), "").Body); len(body) > 0 {
		t.Error("HEAD is answered with a body")
	}
}

func TestURLOfAMissingFile(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("URL accepts a file that does not exist")
		}
	}()
	URL("no-such-file.css")
}

// Scripts import their neighbours by plain names, which works because all of
// them share one address. Nothing reaches for another origin.
func TestScriptsImportWhatExists(t *testing.T) {
	imports := regexp.MustCompile(`(?m)^import .*?"([^"]+)";$`)
	for name, a := range loaded().assets {
		if !strings.HasSuffix(name, ".js") || name == "htmx.js" {
			continue
		}
		for _, m := range imports.FindAllSubmatch(a.plain, -1) {
			target, local := strings.CutPrefix(string(m[1]), "./")
			if _, ok := loaded().assets[target]; !local || !ok {
				t.Errorf("%s imports %q, which is not in static/", name, m[1])
			}
		}
		for _, never := range []string{"eval(", "innerHTML", "http://", "https://", ".style.", "localStorage"} {
			if bytes.Contains(a.plain, []byte(never)) {
				t.Errorf("%s uses %q", name, never)
			}
		}
	}
}

// The stylesheet must hold under a policy of style-src 'self'; img-src 'self'.
func TestStylesheetFetchesNothing(t *testing.T) {
	css := loaded().assets["app.css"].plain
	for _, never := range []string{"@import", "url(", "http:", "https:"} {
		if bytes.Contains(css, []byte(never)) {
			t.Errorf("app.css contains %q", never)
		}
	}
}
