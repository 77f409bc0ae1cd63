//go:build bench

// Package bench measures what the program costs, as ratios within one run: its
// pages beside a bare handler of the same framework on the same machine under
// the same load. The numbers of one run mean little by themselves, because
// machines are shared; their ratios mean a lot.
//
//	go test -tags bench ./e2e/bench -run Bench -v
package bench

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// What the file holds, and how hard the load is.
const (
	entryCount  = 10_000
	eventCount  = 100_000
	connections = 16
	requests    = 3000 // of one round
	rounds      = 5
)

// TestMain lets the test binary play the bare handler in a process of its own.
func TestMain(m *testing.M) {
	if addr := os.Getenv("BENCH_BARE"); addr != "" {
		fmt.Fprintln(os.Stderr, serveBare(addr))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// report collects the lines of the result and the goals that were missed.
type report struct {
	lines  bytes.Buffer
	missed []string
}

func (r *report) line(format string, args ...any) {
	fmt.Fprintf(&r.lines, format+"\n", args...)
}

// goal notes a figure beside what it should be.
func (r *report) goal(ok bool, name, figure, want string) {
	mark := "ok    "
	if !ok {
		mark = "MISSED"
		r.missed = append(r.missed, name)
	}
	r.line("%s  %-38s %-70s goal: %s", mark, name, figure, want)
}

func TestBench(t *testing.T) {
	r := &report{}
	dir := t.TempDir()
	user := fill(t, dir, r)
	binary := build(t)

	started := time.Now()
	p := run(t, binary, dir)
	first := waitFor(t, p.url+"/login", started)
	r.goal(first < 500*time.Millisecond, "start to first answer", first.Round(time.Millisecond).String(), "under 500 ms")
	r.line("        with %d entries and %d audit events in a file of %.1f MB", entryCount, eventCount, float64(size(t, dir))/1e6)

	client := user.signIn(t, p.url)
	bare, barePID := runBare(t)
	for _, page := range []struct {
		name, path string
		ratio      float64
	}{
		{"entry page", "/config/acme-000123:intercom", .25},
		{"list page, 50 of 10,000", "/config", .15},
		{"list page, sorted by change, downwards", "/config?sort=changed&dir=desc", .15},
		{"report page with waterfall", "/config/" + string(testedEntry) + "/test", .15},
		{"audit page, newest 50 of 100,000", "/audit", 0},
	} {
		began, bareBegan := processor(t, p.pid), processor(t, barePID)
		ours, theirs := beside(t, client, p.url+page.path, bare)
		each := func(spent time.Duration) time.Duration {
			return (spent / ((rounds + 1) * requests)).Round(time.Microsecond)
		}
		ratio := ratios(ours, theirs)
		figure := fmt.Sprintf("%.2f (%.0f : %.0f a second, %s : %s of the server's processor time)", ratio, median(ours), median(theirs),
			each(processor(t, p.pid)-began), each(processor(t, barePID)-bareBegan))
		if page.ratio == 0 {
			r.line("        %-38s %s", page.name, figure)
			continue
		}
		r.goal(ratio >= page.ratio, page.name, figure, fmt.Sprintf("at least %.2f of a bare handler", page.ratio))
	}
	rss, anon := memory(t, p.pid)
	r.goal(rss < 60<<20, "resident memory after the load", fmt.Sprintf("%.1f MB (%.1f MB its own)", float64(rss)/(1<<20), float64(anon)/(1<<20)), "under 60 MB")
	p.stop(t)

	saves(t, r)
	hooks(t, r, binary)
	fmt.Print("\n", r.lines.String())
	if len(r.missed) > 0 {
		fmt.Printf("\n%d goals missed: %s\n", len(r.missed), strings.Join(r.missed, "; "))
	}
}

// beside measures the page and the bare handler in turns, so that both meet the
// same neighbours on the machine.
func beside(t *testing.T, client *http.Client, page, bare string) (ours, theirs []float64) {
	load(t, client, page)
	load(t, client, bare)
	for range rounds {
		theirs = append(theirs, load(t, client, bare))
		ours = append(ours, load(t, client, page))
	}
	return ours, theirs
}

// ratios is the median of the ratios of neighbouring rounds.
func ratios(ours, theirs []float64) float64 {
	var out []float64
	for i := range ours {
		out = append(out, ours[i]/theirs[i])
	}
	return median(out)
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}
