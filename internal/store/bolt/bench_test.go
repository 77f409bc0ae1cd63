package bolt_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

func BenchmarkUpdate1(b *testing.B)  { benchmarkUpdate(b, 1) }
func BenchmarkUpdate16(b *testing.B) { benchmarkUpdate(b, 16) }

// benchmarkUpdate saves records of 1 KB from n savers at once, each of which
// saves again as soon as it has its outcome.
func benchmarkUpdate(b *testing.B, n int) {
	d := open(b, filepath.Join(b.TempDir(), "bench.db"))
	value := make([]byte, 1024)
	before := d.Stats()
	var wg sync.WaitGroup
	b.ResetTimer()
	for saver := range n {
		wg.Go(func() {
			for i := saver; i < b.N; i += n {
				err := d.Update(b.Context(), func(tx store.Tx) error {
					tx.Put(fmt.Sprintf("row/%02d/%09d", saver, i), value)
					return nil
				})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	reportShare(b, before, d.Stats())
}

func reportShare(b *testing.B, before, after bolt.Stats) {
	commits := after.Commits - before.Commits
	if after.Updates-before.Updates != int64(b.N) {
		b.Errorf("%d updates counted, want %d", after.Updates-before.Updates, b.N)
	}
	b.ReportMetric(float64(b.N)/float64(commits), "updates/commit")
	b.ReportMetric(float64(commits), "commits")
}

// BenchmarkOpen opens a file of 100,000 records of 1 KB and reads one.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bench.db")
	fill(b, path, 100_000, 1024)
	for b.Loop() {
		d, err := bolt.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		err = d.View(b.Context(), func(r store.Reader) error { _, err := r.Get(fmt.Sprintf("row/%09d", 50_000)); return err })
		if err = errors.Join(err, d.Close()); err != nil {
			b.Fatal(err)
		}
	}
}

func fill(b *testing.B, path string, n, size int) {
	d := open(b, path)
	value := make([]byte, size)
	for at := 0; at < n; at += 1000 {
		err := d.Update(b.Context(), func(tx store.Tx) error {
			for i := at; i < at+1000; i++ {
				tx.Put(fmt.Sprintf("row/%09d", i), value)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
}
