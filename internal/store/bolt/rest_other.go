//go:build !linux

package bolt

// Rest does nothing here.
func (d *DB) Rest() {}
