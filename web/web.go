// Package web holds what browsers are given besides pages: the stylesheet, the
// icons and the scripts, embedded in the program, without a build step.
//
// All files live under one address that contains a hash of their contents:
// /static/3f9c1a2b77d0e456/app.css. So a browser may keep each of them for
// ever, a new release is seen at once, and a script imports its neighbours by
// their plain names. A request for another hash is not found: an old page is
// never answered with new files.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Prefix is the path under which Handler expects its requests.
const Prefix = "/static/"

//go:embed static
var files embed.FS

// types has the content type of every extension that static/ may hold.
var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
}

// An asset is one file of static/, ready to send.
type asset struct {
	contentType string
	plain       []byte
	gzipped     []byte
}

// bundle is all assets by their name, and the address that they have together.
type bundle struct {
	base   string // "/static/3f9c1a2b77d0e456/"
	assets map[string]asset
}

// loaded reads and compresses the embedded files once. What is embedded cannot
// fail to be read; a file of an unknown type is a fault of the program.
var loaded = sync.OnceValue(func() bundle {
	b, sum := bundle{assets: map[string]asset{}}, sha256.New()
	entries, err := fs.ReadDir(files, "static") // in the order of their names
	if err != nil {
		panic("web: " + err.Error())
	}
	for _, e := range entries {
		content, err := fs.ReadFile(files, "static/"+e.Name())
		if err != nil {
			panic("web: " + err.Error())
		}
		contentType, ok := types[path.Ext(e.Name())]
		if !ok {
			panic("web: no content type for static/" + e.Name())
		}
		b.assets[e.Name()] = asset{contentType, content, compress(content)}
		sum.Write([]byte(e.Name() + "\x00" + strconv.Itoa(len(content)) + "\x00"))
		sum.Write(content)
	}
	b.base = Prefix + hex.EncodeToString(sum.Sum(nil)[:8]) + "/"
	return b
})

func compress(content []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid
	w.Write(content)                                        // a bytes.Buffer takes everything
	w.Close()
	return out.Bytes()
}

// URL is the address of the file static/name. It panics if there is none: a
// page that names a missing file is a fault of the program, and the tests of
// the pages find it.
func URL(name string) string {
	b := loaded()
	if _, ok := b.assets[name]; !ok {
		panic("web: there is no static/" + name)
	}
	return b.base + name
}

// Handler answers GET and HEAD for the addresses that URL gives, and 404 for
// everything else. It sets Cache-Control, so it needs no help from around it.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := loaded()
		name, ok := strings.CutPrefix(r.URL.Path, b.base)
		a, found := b.assets[name]
		if !ok || !found {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		send(w, r, a)
	})
}

// send writes a, compressed if the browser takes that and it is shorter.
func send(w http.ResponseWriter, r *http.Request, a asset) {
	h, body := w.Header(), a.plain
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	if len(a.gzipped) < len(a.plain) && takesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = a.gzipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body)
	}
}

// takesGzip reports whether an Accept-Encoding header names gzip without
// refusing it (RFC 9110 section 12.5.3).
func takesGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, has := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q=")
		weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		return !has || err == nil && weight > 0
	}
	return false
}
