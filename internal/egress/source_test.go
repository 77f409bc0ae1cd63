package egress

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// forbidden are the ways out that other rooms must not take: by import path, the
// names in it ("*" for all of it).
var forbidden = map[string]map[string]string{
	"net": group("it opens a connection or asks the name servers",
		"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "Resolver", "DefaultResolver",
		"LookupAddr", "LookupCNAME", "LookupHost", "LookupIP", "LookupMX", "LookupNS", "LookupSRV", "LookupTXT",
		"ResolveIPAddr", "ResolveTCPAddr", "ResolveUDPAddr"),
	"net/http": group("it calls without the address check and the limits",
		"Get", "Head", "Post", "PostForm", "DefaultClient", "DefaultTransport", "Client", "Transport"),
	"net/http/httputil":          group("it calls without the address check and the limits", "ReverseProxy", "NewSingleHostReverseProxy", "ClientConn", "NewClientConn"),
	"crypto/tls":                 group("it opens a connection", "Dial", "DialWithDialer", "Dialer"),
	"net/rpc":                    group("it opens connections", "*"),
	"net/rpc/jsonrpc":            group("it opens connections", "*"),
	"net/smtp":                   group("it opens connections", "*"),
	"log/syslog":                 group("it opens connections", "*"),
	"golang.org/x/net/websocket": group("it opens connections", "*"),
	"golang.org/x/net/proxy":     group("it opens connections", "*"),
	"golang.org/x/net/http2":     group("it opens connections", "*"),
	"golang.org/x/oauth2":        group("without a client in the context it uses http.DefaultClient", "NewClient"),
}

// A pointer to one of these only passes on what somebody has made.
var passable = map[string]bool{"net/http.Client": true, "net/http.Transport": true, "net.Dialer": true, "net.Resolver": true}

func group(why string, names ...string) map[string]string {
	m := map[string]string{}
	for _, n := range names {
		m[n] = why
	}
	return m
}

// TestNothingElseDials holds the house to its invariant: nothing leaves but
// through egress.
func TestNothingElseDials(t *testing.T) {
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	rooms := map[string]map[string][]byte{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		if d.IsDir() {
			if rel == "e2e" || rel == filepath.Join("internal", "egress") || d.Name() == "testdata" || rel != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		dir := filepath.Dir(rel)
		if rooms[dir] == nil {
			rooms[dir] = map[string][]byte{}
		}
		rooms[dir][rel] = src
		return nil
	})
	if err != nil || len(rooms) == 0 {
		t.Fatalf("%d rooms read: %v", len(rooms), err)
	}
	for name, room := range rooms {
		for _, f := range waysOut(t, room) {
			if name == filepath.Join("internal", "control") && strings.Contains(f, " uses net.DialUnix: ") {
				continue // the socket of the program that runs on this machine
			}
			t.Error(f)
		}
	}
}

// waysOut returns what the files of one package do that only egress may do, each
// with its place.
func waysOut(t *testing.T, files map[string][]byte) []string {
	t.Helper()
	var found []string
	fset := token.NewFileSet()
	report := func(pos token.Pos, what, why string) {
		found = append(found, fmt.Sprintf("%s uses %s: %s. Nothing leaves but through internal/egress: take a client from egress.Guard.", fset.Position(pos), what, why))
	}
	exchanges, givesClient := token.NoPos, false
	for name, src := range files {
		file, err := parser.ParseFile(fset, name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		imported := imports(file, report)
		usesOAuth2 := slices.Contains(slices.Collect(maps.Values(imported)), "golang.org/x/oauth2")
		pointers := map[ast.Expr]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			if p, ok := n.(*ast.StarExpr); ok {
				pointers[p.X] = true
			}
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if usesOAuth2 && (sel.Sel.Name == "Exchange" || sel.Sel.Name == "TokenSource") {
				exchanges = sel.Pos()
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			from := imported[pkg.Name]
			givesClient = givesClient || from == "golang.org/x/oauth2" && sel.Sel.Name == "HTTPClient"
			why, bad := forbidden[from][sel.Sel.Name]
			if bad && !(pointers[sel] && passable[from+"."+sel.Sel.Name]) {
				report(sel.Pos(), path.Base(from)+"."+sel.Sel.Name, why)
			}
			return true
		})
	}
	if exchanges.IsValid() && !givesClient {
		report(exchanges, "oauth2 without oauth2.HTTPClient anywhere in the package", "without a client in the context it uses http.DefaultClient")
	}
	return found
}

// imports returns the import paths by the names they have in file.
func imports(file *ast.File, report func(token.Pos, string, string)) map[string]string {
	out := map[string]string{}
	for _, s := range file.Imports {
		p, _ := strconv.Unquote(s.Path.Value)
		local := path.Base(p)
		if s.Name != nil {
			local = s.Name.Name
		}
		names := forbidden[p]
		if why, all := names["*"]; all {
			report(s.Pos(), p, why)
		} else if local == "." && names != nil {
			report(s.Pos(), "all of "+p+" without a name", "no test can tell what is called then")
		}
		out[local] = p
	}
	return out
}

// The test above can fail: each of these is found, and none of those.
func TestWaysOutAreFound(t *testing.T) {
	const head = "package p\nimport (\"net\"; \"net/http\"; web \"net/http\"; \"crypto/tls\"; \"golang.org/x/oauth2\")\n"
	for _, tt := range []struct {
		src  string
		want string // "" if nothing is to be found
	}{
		{`var c, _ = net.Dial("tcp", "h:1")`, "net.Dial:"},
		{`var c, _ = net.DialTimeout("tcp", "h:1", 1)`, "net.DialTimeout:"},
		{`var d = net.Dialer{}`, "net.Dialer:"},
		{`var d = &net.Dialer{}`, "net.Dialer:"},
		{`var d = new(net.Dialer)`, "net.Dialer:"},
		{`var d net.Dialer`, "net.Dialer:"},
		{`var a, _ = net.LookupHost("h")`, "net.LookupHost:"},
		{`var r, _ = http.Get("u")`, "http.Get:"},
		{`var r, _ = web.Post("u", "", nil)`, "http.Post:"},
		{`var r, _ = http.Head("u")`, "http.Head:"},
		{`var r, _ = http.PostForm("u", nil)`, "http.PostForm:"},
		{`var f = http.Get`, "http.Get:"},
		{`var c = http.DefaultClient`, "http.DefaultClient:"},
		{`var c = http.DefaultTransport`, "http.DefaultTransport:"},
		{`var c = &http.Client{Timeout: 1}`, "http.Client:"},
		{`var c = http.Client{}`, "http.Client:"},
		{`var c http.Client`, "http.Client:"},
		{`var c = new(http.Client)`, "http.Client:"},
		{`type s struct { c http.Client }`, "http.Client:"},
		{`var c = &web.Transport{}`, "http.Transport:"},
		{`var c, _ = tls.Dial("tcp", "h:1", nil)`, "tls.Dial:"},
		{`var d tls.Dialer`, "tls.Dialer:"},
		{`func f(c oauth2.Config) { c.Exchange(nil, "x") }`, "oauth2 without"},
		{`func f(c *http.Client, t *http.Transport, d *net.Dialer) *http.Client { return c }`, ""},
		{`type s struct { c *http.Client }`, ""},
		{`var s = &http.Server{}; var l, _ = net.Listen("tcp", ""); var c = tls.Config{}`, ""},
		{`func f(c oauth2.Config, x interface{ Value(any) any }) { x.Value(oauth2.HTTPClient); c.Exchange(nil, "x") }`, ""},
		{`func f(h http.Header) string { return h.Get("x") }`, ""},
	} {
		got := waysOut(t, map[string][]byte{"p.go": []byte(head + tt.src)})
		if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], "p.go:3:") || !strings.Contains(got[0], tt.want)) {
			t.Errorf("%s: %q, want %q", tt.src, got, tt.want)
		}
	}
	apart := map[string][]byte{
		"a.go": []byte(head + `func f(c oauth2.Config) { c.Exchange(nil, "x") }`),
		"b.go": []byte(head + `var key = oauth2.HTTPClient`),
	}
	if got := waysOut(t, apart); len(got) > 0 {
		t.Errorf("a client given in another file of the package: %q", got)
	}
	for _, src := range []string{"package p\nimport . \"net/http\"", "package p\nimport \"net/smtp\"", "package p\nimport _ \"net/rpc\""} {
		if got := waysOut(t, map[string][]byte{"p.go": []byte(src)}); len(got) != 1 {
			t.Errorf("%s: %q", src, got)
		}
	}
}
