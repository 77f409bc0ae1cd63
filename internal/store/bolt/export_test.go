package bolt

import (
	"os"
	"time"
)

// Bounds of a shared commit.
const (
	MaxShare = maxShare
	MaxBytes = maxBytes
)

// Queued returns how many Updates stand in the line.
func (d *DB) Queued() int {
	d.line.mu.Lock()
	defer d.line.mu.Unlock()
	return len(d.line.waiting)
}

// SetPatience sets how long a batch looks out for others. Nothing may be under way.
func (d *DB) SetPatience(p time.Duration) { d.line.patience = p }

// OpenWith is Open with another way to open the file.
func OpenWith(path string, openFile func(string, int, os.FileMode) (*os.File, error)) (*DB, error) {
	return openWith(path, openFile)
}

// Unsaved gives a failed commit its words.
func (d *DB) Unsaved(err error) error { return d.unsaved(err) }

// SetNoSync makes commits cheap, for tests that do not look at durability.
func (d *DB) SetNoSync() { d.b.NoSync = true }
