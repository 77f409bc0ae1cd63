package templates

import (
	"bytes"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"backoffice/web"
)

var gallery = flag.String("gallery", "", "write every sample page as static HTML, with its assets, into this directory")

// TestGallery writes all sample pages to be looked at: serve the directory over
// HTTP and open its pages. Each page is there in three themes.
func TestGallery(t *testing.T) {
	if *gallery == "" {
		t.Skip("no -gallery DIR")
	}
	for _, s := range append(fullPages(), emptyPages()...) {
		html := draw(t, s.page)
		write(t, s.name+".html", html)
		for _, theme := range []string{"light", "dark"} {
			write(t, s.name+"."+theme+".html", bytes.Replace(html, []byte(`<html lang="en"`), []byte(`<html lang="en" data-theme="`+theme+`"`), 1))
		}
	}
	names, err := os.ReadDir("../static")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		w := httptest.NewRecorder()
		web.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, web.URL(n.Name()), nil))
		write(t, web.URL(n.Name()), w.Body.Bytes())
	}
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	path := filepath.Join(*gallery, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
