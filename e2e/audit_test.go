package e2e

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"

	"github.com/chromedp/chromedp"
)

// longLog is how many events the log has whose page is looked at.
const longLog = 1_000_000

// fillLog puts events into a data file that the program has made and let go of.
func fillLog(t *testing.T, dir string) {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "longlog")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", tool, "backoffice/e2e/longlog").CombinedOutput(); err != nil {
		t.Fatalf("building longlog: %v\n%s", err, said)
	}
	began := time.Now()
	if said, err := exec.CommandContext(t.Context(), tool, filepath.Join(dir, "backoffice.db"), strconv.Itoa(longLog)).CombinedOutput(); err != nil {
		t.Fatalf("filling the log: %v\n%s", err, said)
	}
	t.Logf("%d events were filled in in %s", longLog, time.Since(began).Round(time.Second))
}

// The page of a long log: filters combine, the chart chooses a time by dragging
// and from the keyboard, events lead to their receipt, which the program on
// another machine verifies, and new events appear by themselves.
func TestAuditLog(t *testing.T) {
	t.Parallel()
	dir, port := t.TempDir(), freePort(t)
	house := &program{url: "http://localhost:" + port}
	args := []string{"serve", "--addr", "127.0.0.1:" + port, "--public-url", house.url, "--environment", "staging", "--second-factor", "off", "--data", dir}
	house.launch(t, args...) // which makes the data file
	house.stop(t)
	house.ended <- nil // for its clean-up
	fillLog(t, dir)
	house = &program{url: house.url}
	house.launch(t, args...)
	ada := house.admin(t)
	ada.Open("/audit")
	ada.See("1,000,00", "Check now", "Export")
	ada.accessible()
	ada.auditShot("long")
	for _, filter := range []string{"who=person-3@acme.example", "target=acme-00013:intercom", "action=entry.save", "outcome=failed", "outcome=done", "addr=203.0.113.7", "text=person-4", "from=2026-01-01"} {
		ada.Open("/audit?" + filter)
		ada.In("#news").See("Saved a version", "intercom")
		ada.See("Clear the filter", "50 events")
	}
	ada.Open("/audit?text=no+such+name")
	ada.See("No event matches")
	ada.accessible()
	ada.auditShot("none")
	ada.Open("/audit?text=0000000") // a part of many names, and together of none
	ada.See("0 events")
	ada.Open("/audit")

	ada.Fill("Person", "person-3@acme.example")
	ada.Fill("Text", "ACME-00013")
	ada.Follow("Filter")
	ada.auditShot("filtered")
	ada.In("#news").See("acme-00013:intercom", "person-3@acme.example")
	ada.In("#news").NotSee("acme-00023:intercom")
	ada.Follow("Clear the filter")

	ada.brushed()
	svg := `document.querySelector("[data-chart] > svg").getBoundingClientRect()`
	left, top, width := eval[float64](ada, svg+".left"), eval[float64](ada, svg+".top"), eval[float64](ada, svg+".width")
	ada.leaving("dragging over the chart", func() {
		ada.do("drag over the chart", chromedp.MouseEvent("mousePressed", left+width*.25, top+40, chromedp.ButtonLeft),
			chromedp.MouseEvent("mouseMoved", left+width*.5, top+40, chromedp.ButtonLeft), chromedp.MouseEvent("mouseReleased", left+width*.5, top+40, chromedp.ButtonLeft))
	})
	ada.See("Clear the time")
	dragged := eval[string](ada, `new URLSearchParams(location.search).get("from") + " " + new URLSearchParams(location.search).get("to")`)
	if len(dragged) != len("2026-09-17T14:00 2026-09-17T14:00") {
		t.Errorf("dragging chose %q", dragged)
	}
	ada.brushed()
	ada.runScript(`document.querySelector("[data-first]").focus()`)
	ada.Keys("ArrowRight", "ArrowRight")
	ada.Follow("Show this time")
	if now := eval[string](ada, `new URLSearchParams(location.search).get("from")`); now <= dragged[:16] {
		t.Errorf("two steps to the right of %q is %q", dragged[:16], now)
	}
	ada.Follow("Clear the time")

	ada.Open("/audit/500")
	ada.See("Proof holds", "Download the receipt")
	ada.Press("Step by step")
	ada.See("event 501, after")
	ada.accessible()
	ada.auditShot("event")
	key := string(ada.fetch("GET", `"/audit/proof/key"`, "undefined"))
	receipt := filepath.Join(dir, "receipt.txt")
	if err := os.WriteFile(receipt, ada.fetch("GET", `document.querySelector("a[download]").href`, "undefined"), 0o600); err != nil {
		t.Fatal(err)
	}
	verify(t, receipt, key, "VERIFIED: event 500 is in the log")
	one := []string{"who", "person-3@acme.example", "target", "acme-00013:intercom"}
	const ofOne = longLog / 1000
	verify(t, ada.export(dir, "zip", one...), key, "VERIFIED")
	table, err := os.Open(ada.export(dir, "csv", one...))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if rows, err := csv.NewReader(table).ReadAll(); err != nil || len(rows) != 1+ofOne {
		t.Errorf("the CSV has %d rows, want %d; %v", len(rows), 1+ofOne, err)
	}
	lines, err := os.ReadFile(ada.export(dir, "jsonl", one...))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
		var e audit.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Target != "acme-00013:intercom" {
			t.Fatalf("line %d: %v, %q", i, err, line)
		}
	}
	if n := strings.Count(string(lines), "\n"); n != ofOne {
		t.Errorf("%d lines, want %d", n, ofOne)
	}

	ada.Open("/audit")
	ada.Follow("Check now")
	ada.goesOnChecking()
	ada.auditShot("checked")

	ada.Open("/audit?outcome=failed&target=" + email)
	ada.See("No event matches")
	loads := ada.watch.loaded()
	other := house.person(t)
	other.Open("/login")
	other.Fill("E-mail", email)
	other.Fill("Password", "not the password of Ada")
	other.FollowRefused("Sign in", 422)
	ada.In("#news").See("Failed to sign in", email)
	if ada.watch.loaded() != loads {
		t.Error("the page was loaded again")
	}
}

// goesOnChecking waits until the page says that more was checked than when it was
// loaded before, or that all is: checking rests beside the work, so all of a
// long log takes a while.
func (p *person) goesOnChecking() {
	p.t.Helper()
	const state = `(document.querySelector("#log-state .verdict")?.textContent ?? "").trim()`
	const count = `Number((document.body.innerText.match(/([\d,]+) of [\d,]+ events were checked so far/)?.[1] ?? "0").replaceAll(",", ""))`
	before := eval[float64](p, count)
	p.until("the check to go on", func() (bool, string) {
		if word, err := evaluate[string](p, state); err != nil || strings.Contains(word, "Intact") {
			return err == nil, fmt.Sprint(err)
		}
		p.Open("/audit") // what was checked so far stands below the list
		now, err := evaluate[float64](p, count)
		return err == nil && now > before, fmt.Sprintf("%v checked, then %v; %v", before, now, err)
	})
}

// auditShot takes pictures of the page as it is, in both themes and widths.
func (p *person) auditShot(name string) {
	p.t.Helper()
	if *shots == "" {
		return
	}
	for _, width := range []int64{1440, 390} {
		p.Screen(width, 900, 1)
		for _, theme := range []string{"light", "dark"} {
			p.Theme(theme)
			if err := os.WriteFile(filepath.Join(*shots, fmt.Sprintf("log-%s-%s-%d.png", name, theme, width)), p.fullShot(), 0o644); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	p.Screen(1440, 900, 1)
	p.Theme("light")
}

// brushed waits until the chart can be dragged over.
func (p *person) brushed() {
	p.t.Helper()
	p.until("the chart's script", func() (bool, string) {
		ready, err := evaluate[bool](p, `document.querySelector("[data-chart] .brush") !== null`)
		return err == nil && ready, fmt.Sprint(err)
	})
}

// export takes the log away as the form of the page does, and returns the path of
// the file.
func (p *person) export(dir, format string, filter ...string) string {
	p.t.Helper()
	fields := `["format", "` + format + `"]`
	for i := 0; i+1 < len(filter); i += 2 {
		fields += fmt.Sprintf(`, [%q, %q]`, filter[i], filter[i+1])
	}
	b := p.fetch("POST", `"/audit/export"`, "new URLSearchParams(["+fields+"])")
	path := filepath.Join(dir, "export."+format)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// fetch asks for a file as the page would, and returns its bytes.
func (p *person) fetch(method, address, body string) []byte {
	p.t.Helper()
	p.runScript(`window.fetched = undefined; fetch(` + address + `, {method: "` + method + `", body: ` + body + `}).then(async (a) => {
		const reader = new FileReader();
		reader.onload = () => { window.fetched = a.ok ? reader.result.split(",")[1] ?? "" : "status " + a.status; };
		reader.readAsDataURL(await a.blob());
	}).catch((e) => { window.fetched = String(e); })`)
	p.until("the answer of "+address, func() (bool, string) {
		there, err := evaluate[bool](p, `window.fetched !== undefined`)
		return there, fmt.Sprint(err)
	})
	text := eval[string](p, `window.fetched`)
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		p.fail("%s: %v in %.80q", address, err, text)
	}
	return b
}

// verify has the program check a file, as on another machine.
func verify(t *testing.T, file, key, want string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "audit", "verify", file, "--key", strings.TrimSpace(key)).CombinedOutput()
	if err != nil || !strings.Contains(string(out), want) {
		t.Errorf("verifying %s: %v\n%s", filepath.Base(file), err, out)
	}
}
