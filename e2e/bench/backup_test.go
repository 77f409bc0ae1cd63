//go:build bench

package bench

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// backedUp is how large the data file of the measure is.
const backedUp = 200 << 20 // bytes

// TestBackup measures what a backup that is being made costs those who read pages.
//
//	go test -tags bench ./e2e/bench -run '^TestBackup$' -v
func TestBackup(t *testing.T) {
	r := &report{}
	dir := t.TempDir()
	user := sealedEntries(t, dir)
	enlarge(t, dir)
	binary := build(t)
	p := run(t, binary, dir)
	waitFor(t, p.url+"/login", time.Now())
	client := user.signIn(t, p.url)
	page := p.url + "/config"
	latencies(t, client, page, func(n int) bool { return n < 200 })
	var alone, beside, took []float64
	for i := range 3 {
		alone = append(alone, latencies(t, client, page, func(n int) bool { return n < 400 })...)
		file := filepath.Join(t.TempDir(), fmt.Sprint("backup", i))
		cmd := exec.Command(binary, "backup", file, "--data", dir)
		done := make(chan error, 1)
		began := time.Now()
		go func() {
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			done <- err
		}()
		running := true
		beside = append(beside, latencies(t, client, page, func(int) bool {
			select {
			case err := <-done:
				if err != nil {
					t.Fatal(err)
				}
				running = false
			default:
			}
			return running
		})...)
		took = append(took, time.Since(began).Seconds())
	}
	ratio := median(beside) / median(alone)
	r.goal(ratio < 1.5, "page beside a backup of 200 MB", fmt.Sprintf("%.2f times its median alone (%d pages in %.1f s a backup)", ratio, len(beside), median(took)), "under 1.5")
	p.stop(t)
	fmt.Print("\n", r.lines.String())
}

// enlarge fills the data file up with rows of which a half can be packed.
func enlarge(t *testing.T, dir string) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "backoffice.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	random := rand.New(rand.NewPCG(1, 2))
	for n := 0; db.Stats().FileSize < backedUp; n++ {
		err := db.Update(t.Context(), func(tx store.Tx) error {
			for i := range 500 {
				row := make([]byte, 8<<10)
				for j := range len(row) / 2 {
					row[j] = byte(random.Uint32())
				}
				tx.Put(fmt.Sprintf("bench/%06d/%03d", n, i), row)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
