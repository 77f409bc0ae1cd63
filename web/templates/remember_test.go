package templates

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"
)

func drawnAs(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A part of a page that is remembered has everything in its key that it draws:
// whatever is different about a frame or a row shows.
func TestWhatIsRememberedShowsEveryField(t *testing.T) {
	frame := Frame{Title: "T", User: "owner@acme.example", Environment: "Production", Version: "1", EventCount: "1", EntryCount: "1", ConnectorCount: "1", Path: "/x", May: mayAll}
	frame.Toast = "Saved as version 8"
	differs(t, frame, func(f Frame) templ.Component { return page(f) })
	row := EntryRow{ID: "acme:intercom", Initial: "In", Connector: "Intercom", Version: "6", ChangedBy: "ops@acme.example"}
	differs(t, row, func(r EntryRow) templ.Component { return entryRow(r) })
	now := Time{ISO: "2026-09-17T14:32:40Z", Exact: "2026-09-17 14:32:40 UTC", Ago: "just now"}
	differs(t, EntryHead{ID: "acme:intercom", Initial: "In", Connector: "intercom", State: "version 6 is in force", Tested: now, TestedBy: "ops@acme.example", More: "More.",
		TestVersion: "6", ScopeCount: "1", TopicCount: "1", VersionCount: "6", HasScopes: true, HasWebhooks: true, HasGuide: true, Tab: TabValues, May: mayAll}, func(h EntryHead) templ.Component { return entryTop(h) }, "Connector")
	differs(t, ValueRow{Key: "region", Shown: PlainValue("US", ""), Compared: "Same", Set: now, SetBy: "ops@acme.example"}, func(r ValueRow) templ.Component {
		return valueRow(valueRowKey{"acme:intercom", "6", "version 5", r})
	})
	differs(t, StandingVersion{Number: "6", Fact: "Works", Did: "Saved", When: now, By: "ops@acme.example", Reason: "because", More: "More."}, func(s StandingVersion) templ.Component {
		return standingVersion(s, LabelCurrent)
	})
	differs(t, Time{ISO: "2026-09-17T14:32:40Z", Exact: "2026-09-17 14:32:40 UTC", Ago: "just now"}, func(i Time) templ.Component { return when(i) })
}

// differs changes each field of v by itself, after v was drawn, but for those that
// are not drawn at all.
func differs[T any](t *testing.T, v T, draw func(T) templ.Component, but ...string) {
	t.Helper()
	for i := range reflect.TypeFor[T]().NumField() {
		if slices.Contains(but, reflect.TypeFor[T]().Field(i).Name) {
			continue
		}
		other := v
		field := reflect.ValueOf(&other).Elem().Field(i)
		switch field.Kind() {
		case reflect.String:
			field.SetString(field.String() + "9")
		case reflect.Bool:
			field.SetBool(!field.Bool())
		case reflect.Int:
			field.SetInt(field.Int() + 1)
		case reflect.Struct:
			if field.Type() == reflect.TypeFor[Shown]() {
				field.Set(reflect.ValueOf(PlainValue("EU", "")))
				break
			}
			if field.Type() == reflect.TypeFor[May]() {
				field.Set(reflect.ValueOf(May{}))
				break
			}
			if field.Type() == reflect.TypeFor[Notice]() {
				field.Set(reflect.ValueOf(Notice{Heading: "H", Text: "T"}))
				break
			}
			field.Set(reflect.ValueOf(Time{ISO: "2026-01-01T00:00:00Z", Exact: "2026-01-01 00:00:00 UTC", Ago: "long ago"}))
		default:
			t.Fatalf("%T has a field of kind %s", v, field.Kind())
		}
		if first, second := drawnAs(t, draw(v)), drawnAs(t, draw(other)); first == second {
			t.Errorf("another %s draws the same %T", reflect.TypeFor[T]().Field(i).Name, v)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := memory[int]{max: 3}
	for n := range 100 {
		for range 2 {
			if got := drawnAs(t, m.remember(n, func() templ.Component { return drawn(fmt.Sprint(n)) })); got != fmt.Sprint(n) {
				t.Fatalf("%d was drawn as %s", n, got)
			}
		}
	}
	if len(m.seen) != 3 {
		t.Errorf("it keeps %d, want 3", len(m.seen))
	}
}
