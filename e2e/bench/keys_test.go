//go:build bench

package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/secret"
)

// TestKeys measures what a re-sealing of 10,000 versions costs the pages that are
// served beside it.
func TestKeys(t *testing.T) {
	r, dir := &report{}, t.TempDir()
	user := sealedEntries(t, dir)
	binary := build(t)
	p := run(t, binary, dir)
	waitFor(t, p.url+"/login", time.Now())
	client, page := user.signIn(t, p.url), p.url+"/config/acme-000123:intercom"
	latencies(t, client, page, func(n int) bool { return n < 500 })
	keys := func(command string) string {
		b, err := exec.Command(binary, "keys", command, "--data", dir).CombinedOutput()
		if err != nil {
			t.Fatalf("keys %s: %v\n%s", command, err, b)
		}
		return string(b)
	}
	// Quiet rounds before and after, so that a neighbour who comes or goes meanwhile
	// weighs on both.
	quiet := latencies(t, client, page, func(n int) bool { return n < 1500 })
	keys("rotate")
	done := make(chan string, 1)
	began := time.Now()
	go func() {
		b, err := exec.Command(binary, "keys", "reseal", "--data", dir).CombinedOutput()
		done <- fmt.Sprintf("%s%v", b, err)
	}()
	var said string
	busy := latencies(t, client, page, func(int) bool {
		select {
		case said = <-done:
			return false
		default:
			return true
		}
	})
	took := time.Since(began)
	if !resealed.MatchString(said) || !strings.HasSuffix(said, "<nil>") {
		t.Fatalf("re-sealing said:\n%s", said)
	}
	quiet = append(quiet, latencies(t, client, page, func(n int) bool { return n < 1500 })...)
	ratio := median(busy) / median(quiet)
	r.goal(ratio < 1.5, "entry page beside re-sealing", fmt.Sprintf("%.2f (median %.2f ms : %.2f ms; over 10,000 records in %s, %d pages meanwhile)", ratio, median(busy), median(quiet), took.Round(100*time.Millisecond), len(busy)),
		"under 1.5 of the quiet median")
	fmt.Print("\n", r.lines.String())
	if len(r.missed) > 0 {
		fmt.Printf("\n%d goals missed: %s\n", len(r.missed), strings.Join(r.missed, "; "))
	}
}

// resealed is the line of the key that seals, once it has sealed everything: the
// versions, and the few records that the program itself seals.
var resealed = regexp.MustCompile(`(?m)^[0-9a-f]{8} +seals .* 100[0-9]{2} records$`)

// sealedEntries makes data of entryCount entries of one version each, and an owner.
func sealedEntries(t *testing.T, dir string) person {
	t.Helper()
	db, box, entries := rooms(t, dir)
	defer db.Close()
	var all sync.WaitGroup
	for part := range 64 {
		all.Go(func() {
			for n := part; n < entryCount; n += 64 {
				if _, err := entries.Save(context.Background(), by, draft(n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	p := person{"owner@acme.example", "correct horse battery"}
	people, password := auth.New(auth.Options{Store: db, Box: box}), secret.NewText(p.password)
	token, _, err := people.SetupToken(t.Context())
	if err == nil {
		_, err = people.Setup(t.Context(), by, auth.NewAdmin{Token: token, Email: p.email, Password: password, Again: password})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// latencies are the milliseconds of each page that one reader asks for, one after the
// other, while more says so.
func latencies(t *testing.T, client *http.Client, page string, more func(n int) bool) (out []float64) {
	t.Helper()
	for more(len(out)) {
		began := time.Now()
		res, err := client.Get(page)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res.Status, err)
		}
		out = append(out, time.Since(began).Seconds()*1000)
	}
	return out
}
