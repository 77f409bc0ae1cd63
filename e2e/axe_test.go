package e2e

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed axe/axe.min.js
var axe string

// screens are the widths at which every page is looked at: a desk, a phone, and
// the desk at a zoom of 200 %.
var screens = []struct {
	name          string
	width, height int64
	scale         float64
	axe           bool
}{
	{"1440", 1440, 900, 1, true},
	{"390", 390, 844, 1, true},
	{"1440 at 200 %", 720, 450, 2, false},
}

// Every page, in light and dark, at a desk and on a phone: axe finds nothing to
// object to, and nothing scrolls sideways.
func TestEveryPage(t *testing.T) {
	for part := range 2 {
		t.Run(fmt.Sprint("part ", part+1), func(t *testing.T) {
			t.Parallel()
			v := newTour(t)
			for i, w := range views {
				if i%2 == part {
					v.look(t, w)
				}
			}
		})
	}
	t.Run("new", func(t *testing.T) {
		t.Parallel()
		v := newEmptyTour(t)
		for _, w := range newViews {
			v.look(t, w)
		}
	})
}

func (v *tour) look(t *testing.T, w view) {
	t.Run(w.name, func(t *testing.T) {
		p := v.show(t, w)
		p.runScript(axe)
		for _, s := range screens {
			p.Screen(s.width, s.height, s.scale)
			if wide, err := ask[string](p, "sideways"); err != nil || wide != "" {
				t.Errorf("%s at %s scrolls sideways: %s %v", w.name, s.name, wide, err)
			}
			for _, theme := range []string{"light", "dark"} {
				if s.axe {
					p.Theme(theme)
					for _, finding := range p.axe() {
						t.Errorf("%s at %s, %s: %s", w.name, s.name, theme, finding)
					}
				}
			}
		}
		p.Screen(1440, 900, 1)
		p.Theme("light")
		for _, fault := range p.watch.found() {
			t.Error(fault)
		}
	})
}

func (p *person) runScript(source string) {
	p.t.Helper()
	p.do("run a script", chromedp.Evaluate[chromedp.Void](source))
}

// axe runs every rule of axe-core over the page and returns what it objects to.
func (p *person) axe() []string {
	p.t.Helper()
	const run = `axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.flatMap((v) =>
		v.nodes.slice(0, 4).map((n) => v.id + ": " + v.help + "\n    " + n.html.slice(0, 200) + "\n    " + n.failureSummary.replace(/\s+/g, " "))))`
	ctx, cancel := context.WithTimeout(p.ctx, *patience)
	defer cancel()
	wait := func(p *runtime.EvaluateParams) { yes := true; p.AwaitPromise = &yes }
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](run, wait))
	if err != nil {
		p.fail("running axe: %v", err)
	}
	return found
}

// A page with faults is found: otherwise no finding would prove nothing.
func TestTheLookIsStrict(t *testing.T) {
	t.Parallel()
	p := start(t).person(t)
	p.Open("/login")
	p.runScript(axe)
	p.runScript(`document.body.insertAdjacentHTML("beforeend", '<img src="/static/none.png"><input><canvas class="too-wide" width="3000"></canvas>')`)
	if found := strings.Join(p.axe(), "\n"); !strings.Contains(found, "image-alt") || !strings.Contains(found, "label") {
		t.Errorf("axe does not find an image and an input without words:\n%s", found)
	}
	if wide, err := ask[string](p, "sideways"); err != nil || !strings.Contains(wide, "too-wide") {
		t.Errorf("a page that scrolls sideways is not found: %q %v", wide, err)
	}
	p.runScript(`document.body.setAttribute("style", "color: red"); console.error("on purpose"); Promise.reject(new Error("also on purpose"))`)
	p.runScript(`document.body.insertAdjacentHTML("beforeend", '<p style="color: red">red</p>')`)
	for _, want := range []string{"none.png", "on purpose", "also on purpose", "style-src"} {
		p.until("the watch reports "+want, func() (bool, string) {
			p.watch.mu.Lock()
			defer p.watch.mu.Unlock()
			return strings.Contains(strings.Join(p.watch.faults, "\n"), want), "it reports " + strings.Join(p.watch.faults, "; ")
		})
	}
	p.watch.found()
}
