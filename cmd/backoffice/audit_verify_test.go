package main

import (
	"bytes"
	"os"
	"testing"
)

// Progress is for a person at a terminal, and leaves nothing behind.
func TestProgress(t *testing.T) {
	var b bytes.Buffer
	if progress(&b) != nil {
		t.Error("progress for a buffer")
	}
	f, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if progress(f) != nil {
		t.Error("progress in a file")
	}
	tell := progressOn(&b)
	tell(5, 5) // short ones say nothing
	if b.Len() != 0 {
		t.Errorf("%q", b.String())
	}
	tell = progressOn(&b)
	for _, n := range []int64{10, 20, 30} {
		tell(n, 30)
	}
	if got := b.String(); got != "\r10 of 30 events\r20 of 30 events\r\x1b[K" {
		t.Errorf("%q", got)
	}
}
