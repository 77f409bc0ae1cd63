//go:build bench

package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hookRounds and hookTime are how often and for how long each number of senders
// is measured.
const (
	hookRounds = 3
	hookTime   = 1500 * time.Millisecond
)

// notification is one of Intercom's, of its size, with its place for an id.
const notification = `{"type":"notification_event","app_id":"a86dr8yl","data":{"type":"notification_event_data","item":{"type":"company",` +
	`"id":"531ee472cce572a6ec000006","name":"Example Company Inc.","company_id":"6","created_at":1394533506,"updated_at":1396874658,` +
	`"custom_attributes":{}}},"links":{},"id":"notif_%032d","topic":"company.created","delivery_status":"pending","delivery_attempts":1,` +
	`"delivered_at":0,"first_sent_at":1392731392,"created_at":1392731331,"self":null}`

// hooks measures how many notifications a second are verified and durable before
// they are answered, beside a handler that only reads the body, and beside what the
// disk can do.
func hooks(t *testing.T, r *report, binary string) {
	dir := t.TempDir()
	db, _, entries := rooms(t, dir)
	d := draft(0)
	if _, err := entries.Save(t.Context(), by, d); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	key := []byte(fmt.Sprintf("0123456789abcdef0123456789abcdef%08d", 0))
	addr := freeAddr(t)
	cmd := spawn(t, exec.Command(binary, "serve", "--addr", addr, "--public-url", "http://"+addr, "--data", dir, "--webhook-rate", "1000000"), "BACKOFFICE_METRICS_TOKEN="+metricsToken)
	p := child{"http://" + addr, cmd.Process.Pid, cmd}
	waitFor(t, p.url+"/login", time.Now())
	bare, _ := runBare(t)
	var sent atomic.Int64
	for _, senders := range []int{1, 16, 64} {
		var ours, theirs, syncs []float64
		post(t, bare+"hook", senders, key, &sent)
		post(t, p.url+"/webhooks/intercom", senders, key, &sent)
		began, did := processor(t, p.pid), int64(0)
		saved, committed := commits(t, p.url)
		for range hookRounds {
			syncs = append(syncs, fsyncs(t, dir))
			theirs = append(theirs, post(t, bare+"hook", senders, key, &sent))
			before := sent.Load()
			ours = append(ours, post(t, p.url+"/webhooks/intercom", senders, key, &sent))
			did += sent.Load() - before
		}
		each := (processor(t, p.pid) - began) / time.Duration(did)
		nowSaved, nowCommitted := commits(t, p.url)
		shared := (nowSaved - saved) / (nowCommitted - committed) / syncsOfACommit
		ratio, perSync := ratios(ours, theirs), ratios(ours, syncs)
		name := fmt.Sprintf("notifications a second, %d senders", senders)
		figure := fmt.Sprintf("%.0f: %.2f of a bare handler (%.0f), %.1f for each fsync of the disk (%.0f a second), %s of processor time each", median(ours), ratio, median(theirs),
			perSync, median(syncs), each.Round(time.Microsecond))
		own := fmt.Sprintf("%.1f (%.1f changes share a commit, which syncs %d times)", shared, shared*syncsOfACommit, syncsOfACommit)
		if senders < 64 {
			r.line("        %-38s %s", name, figure)
			r.line("        %-38s %s", "  for each fsync of the program", own)
			continue
		}
		r.goal(ratio >= .35, name, figure, "at least 0.35 of a bare handler")
		r.goal(perSync >= 8, "notifications for each fsync of the disk", fmt.Sprintf("%.1f", perSync), "at least 8 at 64 senders")
		r.goal(shared >= 8, "notifications for each of the program", own, "at least 8 at 64 senders")
	}
	p.stop(t)
}

// post sends notifications for a while, each sender over a connection that it
// keeps, and returns how many were acknowledged a second.
func post(t *testing.T, url string, senders int, key []byte, sent *atomic.Int64) float64 {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var done, bad atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range senders {
		wg.Go(func() {
			for time.Since(began) < hookTime {
				body := fmt.Appendf(nil, notification, sent.Add(1))
				mac := hmac.New(sha1.New, key)
				mac.Write(body)
				req, _ := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(mac.Sum(nil)))
				res, err := client.Do(req)
				if err != nil {
					bad.Add(1)
					continue
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if res.StatusCode != http.StatusOK {
					bad.Add(1)
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if bad.Load() > 0 {
		t.Fatalf("%d of %d notifications to %s were not acknowledged", bad.Load(), done.Load(), url)
	}
	return float64(done.Load()) / time.Since(began).Seconds()
}

// syncsOfACommit is how often bbolt syncs the file in a commit: what was written,
// and then the page that points to it. Making room in the file, a sync for each
// 4 MiB, is not counted.
const syncsOfACommit = 2

const metricsToken = "0123456789abcdef0123456789abcdef"

// commits is what the program counts: changes that were saved, among them a few
// that prune, and the commits that they shared.
func commits(t *testing.T, url string) (saved, committed float64) {
	t.Helper()
	req, _ := http.NewRequest(http.MethodGet, url+"/metrics", nil)
	req.Header.Set("Authorization", "Bearer "+metricsToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		name, n, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "backoffice_store_updates_total":
			saved, err = strconv.ParseFloat(n, 64)
		case "backoffice_store_commits_total":
			committed, err = strconv.ParseFloat(n, 64)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if saved == 0 || committed == 0 {
		t.Fatalf("%s/metrics says nothing of commits:\n%s", url, b)
	}
	return saved, committed
}

// fsyncs is how many times a second a page can be written and synced where the
// data is.
func fsyncs(t *testing.T, dir string) float64 {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "fsync-"+strconv.Itoa(os.Getpid())))
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	page, n := make([]byte, 4096), 0
	began := time.Now()
	for ; time.Since(began) < hookTime/3; n++ {
		if _, err := f.WriteAt(page, int64(n%256)*4096); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	return float64(n) / time.Since(began).Seconds()
}

// TestBenchHooks is the part of the bench about notifications, by itself.
func TestBenchHooks(t *testing.T) {
	r := &report{}
	hooks(t, r, build(t))
	fmt.Print("\n", r.lines.String())
}
