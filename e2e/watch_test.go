package e2e

import (
	"fmt"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// A watch listens to what a browser reports on the side. Everything it writes
// down is a fault of the product.
type watch struct {
	mu       sync.Mutex
	loads    int      // documents that finished loading
	last     document // the newest one
	refused  []document
	faults   []string
	requests map[network.RequestID]string
}

// A document is an answer that became the page.
type document struct {
	url     string
	status  int64
	headers network.Headers
}

// header is the text of a header, whatever the case of its name.
func (d document) header(name string) string {
	for k, v := range d.headers {
		if strings.EqualFold(k, name) {
			return fmt.Sprint(v)
		}
	}
	return ""
}

// see gets every event of a tab, in order.
func (w *watch) see(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ev := ev.(type) {
	case *page.EventLoadEventFired:
		w.loads++
	case *network.EventRequestWillBeSent:
		w.requests[ev.RequestID] = ev.Request.URL
	case *network.EventResponseReceived:
		w.answer(ev)
	case *network.EventLoadingFailed:
		_, known := w.requests[ev.RequestID] // unknown: of a tab that opened before anybody looked at it
		if known && !ev.Canceled || ev.BlockedReason != "" {
			w.fault("request failed: %s %s %s", w.requests[ev.RequestID], ev.ErrorText, ev.BlockedReason)
		}
	case *runtime.EventExceptionThrown:
		text := ev.ExceptionDetails.Text
		if ev.ExceptionDetails.Exception != nil {
			text += " " + ev.ExceptionDetails.Exception.Description
		}
		w.fault("uncaught exception: %s", text)
	case *runtime.EventConsoleAPICalled:
		w.console(ev)
	case *log.EventEntryAdded:
		w.entry(ev.Entry)
	case *audits.EventIssueAdded:
		w.issue(ev.Issue)
	}
}

func (w *watch) answer(ev *network.EventResponseReceived) {
	if ev.Type == network.ResourceTypeDocument {
		w.last = document{ev.Response.URL, ev.Response.Status, ev.Response.Headers}
		if ev.Response.Status >= 400 {
			w.refused = append(w.refused, w.last)
		}
		return
	}
	if ev.Response.Status >= 400 {
		w.fault("status %d for %s", ev.Response.Status, ev.Response.URL)
	}
}

func (w *watch) console(ev *runtime.EventConsoleAPICalled) {
	switch ev.Type {
	case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
		var said []string
		for _, a := range ev.Args {
			said = append(said, string(a.Value)+a.Description)
		}
		w.fault("console.%s: %s", ev.Type, strings.Join(said, " "))
	}
}

// entry is a message of the browser itself: violations of policies,
// deprecations, interventions. What it says about a status is judged in answer.
func (w *watch) entry(e *log.Entry) {
	if e.Level != log.EntryLevelError && e.Level != log.EntryLevelWarning {
		return
	}
	if e.Source == log.EntrySourceNetwork && strings.Contains(e.Text, "the server responded with a status of") {
		return
	}
	w.fault("browser log, %s %s: %s %s", e.Source, e.Level, e.Text, e.URL)
}

// issue is what Chromium's panel "Issues" would list.
func (w *watch) issue(i *audits.InspectorIssue) {
	text := string(i.Code)
	if d := i.Details; d != nil && d.ContentSecurityPolicyIssueDetails != nil {
		text += " " + d.ContentSecurityPolicyIssueDetails.ViolatedDirective + " " + d.ContentSecurityPolicyIssueDetails.BlockedURL
	}
	if d := i.Details; d != nil && d.GenericIssueDetails != nil {
		if d.GenericIssueDetails.ErrorType == audits.GenericIssueErrorTypeFormInputAssignedAutocompleteValueToIDOrNameAttributeError {
			return // a guess: that a field called "region" is about an address
		}
		text += " " + string(d.GenericIssueDetails.ErrorType)
	}
	w.fault("browser issue: %s", text)
}

func (w *watch) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...)+" (on "+w.last.url+")")
}

// loaded is how many documents have been loaded.
func (w *watch) loaded() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.loads
}

// document is the newest one.
func (w *watch) document() document {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// excuse takes the newest document off the refused ones: the test expected it.
func (w *watch) excuse() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.refused); n > 0 && w.last.status >= 400 {
		w.refused = w.refused[:n-1]
	}
}

// found is everything that was reported and not expected. It empties the list.
func (w *watch) found() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.faults
	for _, d := range w.refused {
		out = append(out, fmt.Sprintf("status %d for the page %s", d.status, d.url))
	}
	w.faults, w.refused = nil, nil
	return out
}
