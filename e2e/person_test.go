package e2e

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

//go:embed page.js
var pageScript string

// A person is somebody with a browser of their own: own cookies, own window.
// The steps fail the test with what the person sees.
type person struct {
	t     *testing.T
	house *program
	ctx   context.Context
	watch *watch
	scope string // where on the page to look, as a CSS selector
	shots *int
}

// person opens a browser for somebody who is not signed in.
func (h *program) person(t *testing.T) *person {
	t.Helper()
	browser, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	return h.window(t, browser, chromedp.WithNewBrowserContext())
}

// Window is another window of the same browser: it shares the cookies.
func (p *person) Window() *person {
	p.t.Helper()
	return p.house.window(p.t, p.ctx)
}

func (h *program) window(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *person {
	t.Helper()
	w := &watch{requests: map[network.RequestID]string{}}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(w.see))...)
	p := &person{t: t, house: h, ctx: ctx, watch: w, shots: new(int)}
	t.Cleanup(func() {
		for _, fault := range w.found() {
			t.Error(fault)
		}
		cancel()
	})
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, audits.Enable, cdp.Empty{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, tab, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
	if err != nil {
		t.Fatalf("opening a window: %v", err)
	}
	p.Screen(1440, 900, 1)
	p.Theme("light")
	return p
}

// In is the same person, who looks only at one part of the page.
func (p *person) In(selector string) *person {
	q := *p
	q.scope = selector
	return &q
}

// do runs an action, for at most as long as a step waits.
func (p *person) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, *patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.fail("%s: %v", what, err)
	}
}

// fail ends the test with what the person sees.
func (p *person) fail(format string, args ...any) {
	p.t.Helper()
	text, _ := ask[string](p, "text", "")
	if len(text) > 1500 {
		text = text[:1500] + "…"
	}
	where, shot := p.watch.document(), p.keepShot()
	for _, fault := range p.watch.found() {
		p.t.Error(fault)
	}
	p.t.Fatalf("%s\n  on %s (status %d)\n  screenshot: %s\n  the page says: %s", fmt.Sprintf(format, args...), where.url, where.status, shot, text)
}

// keepShot keeps a screenshot of the page and returns where it is.
func (p *person) keepShot() string {
	*p.shots++
	path, err := keepPath(p.t, fmt.Sprintf("%d.png", *p.shots))
	if err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithTimeout(p.ctx, *patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(path, png, 0o644)
	}
	if err != nil {
		return err.Error()
	}
	return path
}

// ask calls a function of page.js. An error means that there is no page to ask
// just now, as between two documents.
func ask[T any](p *person, function string, args ...any) (T, error) {
	words := make([]string, len(args))
	for i, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			p.t.Fatal(err)
		}
		words[i] = string(b)
	}
	ctx, cancel := context.WithTimeout(p.ctx, *patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](strings.TrimSpace(pageScript)+"."+function+"("+strings.Join(words, ", ")+")"))
}

// until asks again and again, until check says that it is so. The last words of
// check say what was in the way.
func (p *person) until(what string, check func() (ok bool, but string)) {
	p.t.Helper()
	limit := time.After(*patience)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		ok, but := check()
		if ok {
			return
		}
		select {
		case <-limit:
			p.fail("%s: waited %s, but %s", what, *patience, but)
		case <-again.C:
		}
	}
}

// found is what page.js says about a control.
type found struct {
	Fault  string  `json:"fault"`
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Filled bool    `json:"filled"`
	Done   bool    `json:"done"`
	Value  string  `json:"value"`
}

// find asks page.js for a control until it is there.
func (p *person) find(what, function string, args ...any) (f found) {
	p.t.Helper()
	p.until(what, func() (bool, string) {
		var err error
		if f, err = ask[found](p, function, append(args, p.scope)...); err != nil {
			return false, err.Error()
		}
		return f.Fault == "", f.Fault
	})
	return f
}

// Open types an address of the product, or a whole URL, and waits for the page.
func (p *person) Open(path string) {
	p.t.Helper()
	p.open(path, 200)
}

// OpenRefused is Open where the answer has an error status.
func (p *person) OpenRefused(path string, status int64) {
	p.t.Helper()
	p.open(path, status)
}

func (p *person) open(path string, status int64) {
	p.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = p.house.url + path
	}
	p.do("open "+path, chromedp.Navigate(path))
	p.arrived("open "+path, status)
}

func (p *person) arrived(what string, status int64) {
	p.t.Helper()
	if got := p.watch.document(); got.status != status {
		p.fail("%s: status %d, want %d", what, got.status, status)
	}
	if status >= 400 {
		p.watch.excuse()
	}
}

// Press clicks a button, a link or a summary, by the words on it, and stays on
// the page.
func (p *person) Press(name string) {
	p.t.Helper()
	f := p.find("press “"+name+"”", "button", name)
	p.do("press “"+name+"”", chromedp.MouseClickXY(f.X, f.Y))
}

// Follow presses what leads to another page, and waits for that page.
func (p *person) Follow(name string) {
	p.t.Helper()
	p.follow(name, 200)
}

// FollowRefused is Follow where the answer has an error status.
func (p *person) FollowRefused(name string, status int64) {
	p.t.Helper()
	p.follow(name, status)
}

func (p *person) follow(name string, status int64) {
	p.t.Helper()
	p.leaving("follow “"+name+"”", func() { p.Press(name) })
	p.arrived("follow “"+name+"”", status)
}

// leaving does something that leads to another page, and waits for that page.
func (p *person) leaving(what string, act func()) {
	p.t.Helper()
	before := p.watch.loaded()
	act()
	p.until(what, func() (bool, string) { return p.watch.loaded() > before, "no other page was loaded" })
}

// Fill types into a field, over what is in it.
func (p *person) Fill(label, text string) {
	p.t.Helper()
	what := "fill “" + label + "”"
	f := p.find(what, "field", label)
	if text == "" {
		if f.Filled {
			p.Keys("Backspace")
		}
		return
	}
	p.do(what, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// keyCodes are the keys without a sign of their own, and what they type.
var keyCodes = map[string]struct {
	code int64
	text string
}{"Enter": {13, "\r"}, "Escape": {27, ""}, "Tab": {9, ""}, "Backspace": {8, ""}, "ArrowRight": {39, ""}}

// Keys presses keys one after the other, wherever the focus is: "g", "Enter".
// A key that the page keeps for itself types nothing.
func (p *person) Keys(keys ...string) {
	p.t.Helper()
	p.do("press keys", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for _, key := range keys {
			k, named := keyCodes[key]
			if !named {
				k.code, k.text = int64(strings.ToUpper(key)[0]), key
			}
			down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: k.text, WindowsVirtualKeyCode: k.code}
			if k.text == "" {
				down.Type = input.DispatchKeyEventTypeRawKeyDown
			}
			up := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, WindowsVirtualKeyCode: k.code}
			for _, event := range []input.DispatchKeyEventParams{down, up} {
				if _, err := cdp.Call(ctx, tab, input.DispatchKeyEvent, event); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// Choose picks an option of a list by its words.
func (p *person) Choose(label, option string) {
	p.t.Helper()
	p.find("choose “"+option+"”", "choose", label, option)
}

// Tick sets a checkbox or a radio button.
func (p *person) Tick(label string, on bool) {
	p.t.Helper()
	what := "tick “" + label + "”"
	if f := p.find(what, "box", label, on); !f.Done {
		p.do(what, chromedp.MouseClickXY(f.X, f.Y))
	}
}

// Value is what a field holds: its text, the chosen option, "true" or "false".
func (p *person) Value(label string) string {
	p.t.Helper()
	return p.find("read “"+label+"”", "value", label).Value
}

// WantValue waits until a field holds text.
func (p *person) WantValue(label, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("“%s” holds “%s”", label, text), func() (bool, string) {
		got, err := ask[found](p, "value", label, p.scope)
		if err != nil {
			return false, err.Error()
		}
		return got.Fault == "" && got.Value == text, got.Fault + " it holds “" + got.Value + "”"
	})
}

// Text is what the person can read, with single spaces.
func (p *person) Text() string {
	p.t.Helper()
	var text string
	p.until("read the page", func() (bool, string) {
		var err error
		text, err = ask[string](p, "text", p.scope)
		return err == nil, fmt.Sprint(err)
	})
	return text
}

// See waits until the person can read all of texts. Capitals do not matter:
// the stylesheet may change them.
func (p *person) See(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.until("see “"+text+"”", func() (bool, string) {
			got, err := ask[string](p, "text", p.scope)
			if err != nil {
				return false, err.Error()
			}
			return strings.Contains(strings.ToLower(got), strings.ToLower(text)), "it is not there"
		})
	}
}

// NotSee checks that the person can read none of texts on this page.
func (p *person) NotSee(texts ...string) {
	p.t.Helper()
	got := strings.ToLower(p.Text())
	for _, text := range texts {
		if strings.Contains(got, strings.ToLower(text)) {
			p.fail("“%s” is on the page, and must not be", text)
		}
	}
}

// Gone waits until the person cannot read text any more.
func (p *person) Gone(text string) {
	p.t.Helper()
	p.until("“"+text+"” goes away", func() (bool, string) {
		got, err := ask[string](p, "text", p.scope)
		if err != nil {
			return false, err.Error()
		}
		return !strings.Contains(strings.ToLower(got), strings.ToLower(text)), "it is still there"
	})
}

// At waits until the address bar shows path, which may end in "*".
func (p *person) At(path string) {
	p.t.Helper()
	p.until("be at "+path, func() (bool, string) {
		at, err := evaluate[string](p, "location.href")
		if err != nil {
			return false, err.Error()
		}
		rest, open := strings.CutSuffix(path, "*")
		at = strings.TrimPrefix(at, p.house.url)
		return at == path || open && strings.HasPrefix(at, rest), "the address is " + at
	})
}

// Focused waits until the control with this id has the focus.
func (p *person) Focused(id string) {
	p.t.Helper()
	p.until("#"+id+" has the focus", func() (bool, string) {
		got, err := ask[string](p, "focused")
		if err != nil {
			return false, err.Error()
		}
		return got == id, "the focus is on " + got
	})
}

// evaluate reads something of the page that no step is there for.
func evaluate[T any](p *person, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, *patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

// eval is evaluate for a page that is there.
func eval[T any](p *person, expression string) T {
	p.t.Helper()
	v, err := evaluate[T](p, expression)
	if err != nil {
		p.fail("reading the page: %v", err)
	}
	return v
}

// Screen sets the size of the window, and how many pixels of the screen one of
// CSS takes: 2 is a zoom of 200 %.
func (p *person) Screen(width, height int64, scale float64) {
	p.t.Helper()
	p.do("set the window", chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale)))
}

// Theme says what the person's system prefers: light or dark. Motion is always
// reduced, so that no test looks at something that still moves.
func (p *person) Theme(theme string) {
	p.t.Helper()
	p.do("set the theme", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	}))
}

// Scripts switches JavaScript off or on, for the pages that are loaded next.
func (p *person) Scripts(on bool) {
	p.t.Helper()
	p.do("switch scripts", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

// beforeScripts runs a script in every page that is opened from now on, before
// those of the page.
func (p *person) beforeScripts(script string) {
	p.t.Helper()
	p.do("add a script", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

// fullShot is a picture of the whole page, also of what is below the window.
func (p *person) fullShot() []byte {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, *patience)
	defer cancel()
	png, err := chromedp.Run(ctx, func(ctx context.Context, tab *chromedp.Target) ([]byte, error) {
		whole := true
		r, err := cdp.Call(ctx, tab, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: &whole})
		return r.Data, err
	})
	if err != nil {
		p.fail("taking a picture: %v", err)
	}
	return png
}
