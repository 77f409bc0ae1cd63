package templates

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"
)

// suspicious are names of fields that could carry a secret. Messages about such
// a field (PasswordError), notes and numbers (Seconds) are not meant.
var suspicious = regexp.MustCompile(`(?i)^(value|raw|bytes|body|plaintext|cleartext)$|(secret|password|passphrase|credential|token|cookie|authorization)s?$`)

// carriesText are the types in which a secret could travel.
func carriesText(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name == "string" || x.Name == "any" || x.Name == "byte"
	case *ast.InterfaceType, *ast.MapType:
		return true
	case *ast.ArrayType:
		return carriesText(x.Elt)
	case *ast.StarExpr:
		return carriesText(x.X)
	}
	return false
}

// Invariant: no secret leaves by accident. View models have no field that could
// carry one, but for RevealedPage.Value, whose name says what it is. It reads
// the sources, so that it sees every struct that a page is made of, also one
// that no sample fills.
func TestNoViewModelCarriesASecret(t *testing.T) {
	var allowed int
	for _, s := range structs(t) {
		for _, field := range s.fields {
			if !suspicious.MatchString(field.name) || !carriesText(field.kind) {
				continue
			}
			if s.name == "RevealedPage" && field.name == "Value" {
				allowed++
				continue
			}
			t.Errorf("%s.%s could carry a secret: show a Fingerprint instead", s.name, field.name)
		}
	}
	if allowed != 1 {
		t.Errorf("RevealedPage.Value was found %d times, want once: does this test still look at the models?", allowed)
	}
}

// A map or an interface in a view model would let anything in.
func TestViewModelsArePlainStructs(t *testing.T) {
	for _, s := range structs(t) {
		for _, field := range s.fields {
			switch field.kind.(type) {
			case *ast.MapType, *ast.InterfaceType, *ast.FuncType, *ast.ChanType:
				t.Errorf("%s.%s is no plain text, number, bool, struct or list", s.name, field.name)
			}
			if id, ok := field.kind.(*ast.Ident); ok && id.Name == "any" {
				t.Errorf("%s.%s can hold anything", s.name, field.name)
			}
		}
	}
}

type structType struct {
	name   string
	fields []structField
}

type structField struct {
	name string
	kind ast.Expr
}

// structs lists the exported struct types of the package's own sources.
func structs(t *testing.T) []structType {
	t.Helper()
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var out []structType
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), ".go") || strings.HasSuffix(n.Name(), "_test.go") || strings.HasSuffix(n.Name(), "_templ.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), n.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.TypeSpec)
			if !ok || !spec.Name.IsExported() {
				return true
			}
			if st, ok := spec.Type.(*ast.StructType); ok {
				out = append(out, structType{spec.Name.Name, fieldsOf(st)})
			}
			return true
		})
	}
	if len(out) < 50 {
		t.Fatalf("only %d view models found", len(out))
	}
	return out
}

func fieldsOf(st *ast.StructType) []structField {
	var out []structField
	for _, f := range st.Fields.List {
		for _, name := range f.Names {
			out = append(out, structField{name.Name, f.Type})
		}
	}
	return out
}

// A sealed value is drawn by its fingerprint, whatever else the handler filled
// in by mistake; a sealed control never has a value.
func TestSealedIsNeverDrawnInFull(t *testing.T) {
	const canary = "CANARY-f00d"
	sealed := Shown{Sealed: true, Plain: canary, Fingerprint: fpOld, Length: "11 characters"}
	form := sampleEditForm()
	form.Fields[1].Text, form.Keys[2].Text = canary, canary
	form.Fields[1].Stored, form.Keys[2].Stored = sealed, sealed
	values := sampleValues()
	values.Rows[1].Shown = sealed
	event := sampleEvent()
	event.Changes[0].Before = sealed
	history := sampleHistory()
	history.Compare[1].Shown = sealed
	for name, c := range map[string]templ.Component{
		"form": EntryForm(form), "values": EntryValues(values), "event": AuditEvent(event), "history": EntryHistory(history),
	} {
		if page := draw(t, c); bytes.Contains(page, []byte(canary)) {
			t.Errorf("%s draws what is sealed", name)
		}
	}
}

// What came from outside is text, never markup and never an address that runs.
func TestInjectionIsEscaped(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`
	list := sampleList()
	list.Query, list.Rows[0].ID, list.Rows[0].Connector, list.Rows[0].ChangedBy = evil, evil, evil, evil
	values := sampleValues()
	values.Rows[0].Key, values.Rows[0].Shown, values.Rows[0].SetBy = evil, PlainValue(evil, evil), evil
	values.Entry.ID, values.Toast = evil, evil
	form := sampleEditForm()
	form.Fields[0].Text, form.Keys[0].Key, form.Keys[0].Text, form.Reason = evil, evil, evil, evil
	form.Fields[0].Where = Link{evil, "javascript:alert(3)"}
	test := sampleTest()
	test.Report.Steps[2].Received.Lines[0] = Line{Key: evil, Text: evil, Note: evil}
	test.Report.Identity[0].Text = evil
	event := sampleEvent()
	event.Reason, event.Note, event.Request = evil, evil, evil
	for name, c := range map[string]templ.Component{
		"list": ConfigList(list), "values": EntryValues(values), "form": EntryForm(form), "test": EntryTest(test),
		"event": AuditEvent(event), "search": Search(SearchPage{Query: evil}), "login": Login(LoginPage{Email: evil, Next: evil, Error: evil}),
		"error": Error(ErrorPage{Heading: evil, Message: evil, Remedy: Link{evil, "javascript:alert(3)"}}),
	} {
		page := draw(t, c)
		for _, never := range []string{"<script>alert", "<img", "javascript:"} {
			if bytes.Contains(page, []byte(never)) {
				t.Errorf("%s contains %s", name, never)
			}
		}
		nothingInline(t, parse(t, page))
	}
}

// Templates place what is prepared: if on a bool, for on a slice. Anything more
// belongs into a method, where it can be tested.
func TestTemplatesHoldNoLogic(t *testing.T) {
	forbidden := regexp.MustCompile(`(?m)^\s*(switch |\{\{|.*\bif .*(&&|\|\|).*\{$)`)
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), ".templ") {
			continue
		}
		source, err := os.ReadFile(n.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range forbidden.FindAll(source, -1) {
			t.Errorf("%s: %s", n.Name(), bytes.TrimSpace(m))
		}
	}
}

// BenchmarkConfigList draws a list page of 50 rows.
func BenchmarkConfigList(b *testing.B) {
	p := sampleList()
	for len(p.Rows) < 50 {
		p.Rows = append(p.Rows, p.Rows[len(p.Rows)%8])
	}
	benchmark(b, ConfigList(p))
}

// BenchmarkEntryValues draws the page of an entry.
func BenchmarkEntryValues(b *testing.B) { benchmark(b, EntryValues(sampleValues())) }

func benchmark(b *testing.B, c templ.Component) {
	var out bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		if err := c.Render(context.Background(), &out); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(out.Len()))
}
