package bolt

import (
	"os"
	"time"

	"go.etcd.io/bbolt"
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

// Unsaved gives a failed commit of transaction id its words.
func (d *DB) Unsaved(err error, id int) error { return d.unsaved(err, id, 0) }

// Last is the number of the last transaction that can be read.
func (d *DB) Last() (id int) {
	_ = d.b.View(func(t *bbolt.Tx) error { id = t.ID(); return nil })
	return id
}

// SetNoSync makes commits cheap, for tests that do not look at durability.
func (d *DB) SetNoSync() { d.b.NoSync = true }
