// Package audit keeps the append-only log of who did what.
//
// Invariant 1: no change without its record. [Append] works inside the
// transaction of the change, so that both commit or neither does; if the record
// cannot be written, the change does not happen.
//
// An event is indexed a little later than it is written, together with others, by
// the change that comes by then: so most changes write to the end of the log
// only. What is not indexed yet is few, and filters look through it.
//
// The events are the leaves of a Merkle tree as of RFC 6962, in the form of
// golang.org/x/mod/sumdb/tlog, from the first event on. Records, by store key:
//
//	audit/size                      number of events, in decimal
//	audit/event/<n>                 event n as JSON: exactly the bytes that were hashed
//	audit/hash/<n>                  the hashes that event n completed, from level 0 up, 32 bytes each
//	audit/by/<field>/<value>/<n>    finds the events of one person, action, target, outcome or address: how many
//	                                were indexed there before n, in base 36; at n = 9999999999999999, how many are
//	                                Of the outcome done, as most are, there is only the last event of a row, uncounted
//	audit/gram/<gram>/<field>/<name> empty; finds the people and targets that have three bytes, in hex, in their name
//	audit/latest                    the latest time of an event, in nanoseconds since 1970
//	audit/back                      by how much an event was behind it, at most, in nanoseconds; absent below a minute
//	audit/indexed                   number of events that are found so, in decimal
//	audit/finer                     number of the first event that is found by address and by parts of names, in
//	                                decimal; before it, there are no counts either
//	audit/checkpoint/<size>         a signed head of the first size events; the last 32
//	audit/archive/<from>            the archive file whose first event is from, as JSON
//	audit/archived                  number of events that are in archive files, in decimal
//	audit/dropped                   number of events that are in archive files only, in decimal
//	audit/ship/<destination>        number of the next event to be copied there, in decimal
//
// n and size are padded with zeros to sixteen digits. All of it is written with
// point reads only: nothing that this package does inside a transaction depends
// on a range.
//
// What can be proven of the log without trusting this program starts with a
// [Notary], which signs its heads, gives out receipts and exports, and with a
// [Verification], which checks them. A [Checker] goes over the log in use,
// [Anchors] bring its heads to where this program cannot rewrite them, and a
// [Shipper] copies its events. An [Archiver] moves old events, but not their
// hashes, into files, out of which an [Archive] reads them. docs/audit-format.md has the formats, and what
// each check finds.
package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"backoffice/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	sizeKey     = "audit/size"
	eventPrefix = "audit/event/"
	hashPrefix  = "audit/hash/"
	indexedKey  = "audit/indexed"
	finerKey    = "audit/finer"
	latestKey   = "audit/latest"
	backKey     = "audit/back"
)

// unindexed is how many events wait for being indexed together. With one at a
// time, a change would write to four pages more of the file, all over it.
const unindexed = 64

func eventKey(n int64) string { return fmt.Sprintf("%s%016d", eventPrefix, n) }
func hashKey(n int64) string  { return fmt.Sprintf("%s%016d", hashPrefix, n) }

// indexPrefix is where the events with one value of one field are found. The
// value is escaped, so that it cannot contain a slash.
func indexPrefix(field, value string) string {
	return "audit/by/" + field + "/" + url.PathEscape(value) + "/"
}

// Append adds e as the next leaf of the log, in the caller's transaction: the
// change and its record commit together or not at all. It sets e.N; e.Time is
// the caller's, taken before the transaction. It is pure, as callbacks of
// store.Update must be.
func Append(tx store.Tx, e Event) error {
	if err := e.check(); err != nil {
		return fmt.Errorf("audit event: %w", err)
	}
	n, err := size(tx)
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	e.N, e.Time = n, e.Time.UTC()
	leaf, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("audit event %d: %w", n, err)
	}
	hashes, err := tlog.StoredHashes(n, leaf, hashReader{tx})
	if err != nil {
		return fmt.Errorf("audit tree at %d: %w", n, err)
	}
	tx.Put(eventKey(n), leaf)
	tx.Put(hashKey(n), join(hashes))
	tx.Put(sizeKey, strconv.AppendInt(nil, n+1, 10))
	return errors.Join(rise(tx, e.Time), index(tx, n))
}

// rise notes the time of an event, and by how much it is behind one before it: a
// clock that goes back must hide no event from who looks for a time.
func rise(tx store.Tx, t time.Time) error {
	latest, err := number(tx, latestKey, 0)
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	now := t.UnixNano()
	if now >= latest {
		tx.Put(latestKey, strconv.AppendInt(nil, now, 10))
		return nil
	}
	back, err := number(tx, backKey, int64(clockSlack))
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	if latest-max(now, 0) > back {
		tx.Put(backKey, strconv.AppendInt(nil, latest-max(now, 0), 10))
	}
	return nil
}

// slack is how far the times of events may be out of order.
func slack(r getter) (time.Duration, error) {
	n, err := number(r, backKey, int64(clockSlack))
	return time.Duration(n), err
}

// index makes the events that wait for it findable, if they have become many.
// The last of them is event n.
func index(tx store.Tx, n int64) error {
	from, err := indexed(tx, n)
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	if n+1-from < unindexed {
		if n == from { // the first, maybe of a log from before there was the record
			tx.Put(indexedKey, strconv.AppendInt(nil, from, 10))
		}
		return nil
	}
	if _, err := tx.Get(finerKey); errors.Is(err, store.ErrNotFound) {
		tx.Put(finerKey, strconv.AppendInt(nil, from, 10))
	} else if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	counts, done := map[string]int64{}, false
	for ; from <= n; from++ {
		e, err := read(tx, from)
		if err == nil {
			err = indexOne(tx, e, from, counts)
		}
		if err != nil {
			return fmt.Errorf("audit log: %w", err)
		}
		if done && e.Outcome != Done {
			tx.Put(doneKey(from-1), nil)
		}
		done = e.Outcome == Done
	}
	if done {
		tx.Put(doneKey(n), nil)
	}
	for ix, count := range counts {
		tx.Put(countKey(ix), strconv.AppendInt(nil, count, 36))
	}
	tx.Put(indexedKey, strconv.AppendInt(nil, n+1, 10))
	return nil
}

// indexOne makes event n findable. counts has how many events each index has, as
// far as they are known.
func indexOne(tx store.Tx, e Event, n int64, counts map[string]int64) error {
	for _, ix := range e.indexes() {
		count, ok := counts[ix]
		if !ok {
			var err error
			if count, err = countOf(tx, ix); err != nil {
				return err
			}
		}
		tx.Put(fmt.Sprintf("%s%016d", ix, n), strconv.AppendInt(nil, count, 36))
		counts[ix] = count + 1
	}
	return e.spell(tx)
}

// doneKey is where event n is found as the last of a row that was done.
func doneKey(n int64) string { return fmt.Sprintf("%s%016d", indexPrefix("outcome", string(Done)), n) }

// countKey is behind all items of an index, so that it is on the page of the file
// that is written to anyway.
func countKey(ix string) string { return ix + "9999999999999999" }

// countOf is how many events an index has, where that is counted.
func countOf(r getter, ix string) (int64, error) {
	b, err := r.Get(countKey(ix))
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(b), 36, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is damaged: %q is no number of events", countKey(ix), b)
	}
	return n, nil
}

// Record appends e in a transaction of its own, for what changes nothing else:
// a refused permission, a test that started.
func Record(ctx context.Context, s store.Store, e Event) error {
	return s.Update(ctx, func(tx store.Tx) error { return Append(tx, e) })
}

// indexes are the prefixes under which the event is found, whatever stands beside it.
func (e Event) indexes() []string {
	ix := []string{indexPrefix("action", string(e.Action))}
	if e.Outcome != Done {
		ix = append(ix, indexPrefix("outcome", string(e.Outcome)))
	}
	if e.Actor.Name != "" {
		ix = append(ix, indexPrefix("who", e.Actor.Name))
	}
	if e.Target != "" {
		ix = append(ix, indexPrefix("target", e.Target))
	}
	if e.Actor.Addr != "" {
		ix = append(ix, indexPrefix("addr", e.Actor.Addr))
	}
	return ix
}

// getter is what both a store.Reader and a store.Tx can do.
type getter interface {
	Get(key string) ([]byte, error)
}

// size returns the number of events. A log without the record is empty.
func size(r getter) (int64, error) { return number(r, sizeKey, 0) }

// indexed returns the number of events, of total, that are found by their
// indexes. In a log without the record, each was indexed when it was written.
func indexed(r getter, total int64) (int64, error) {
	n, err := number(r, indexedKey, total)
	return min(n, total), err
}

// finer returns the number of the first event that is found by its address and by
// parts of its names, or total in a log from before there was that.
func finer(r getter, total int64) (int64, error) {
	n, err := number(r, finerKey, total)
	return min(n, total), err
}

// number reads a decimal number, or returns otherwise if there is none.
func number(r getter, key string, otherwise int64) (int64, error) {
	b, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return otherwise, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is damaged: %q is no number of events", key, b)
	}
	return n, nil
}

func join(hashes []tlog.Hash) []byte {
	b := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// hashReader finds stored hashes. The hash at (level, k) is completed by the
// last leaf under it, and stands in that leaf's record at place level.
type hashReader struct{ r getter }

func (h hashReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, k := tlog.SplitStoredHashIndex(index)
		n := (k+1)<<level - 1
		b, err := h.r.Get(hashKey(n))
		if errors.Is(err, store.ErrNotFound) {
			return nil, faultf("the hashes of event %d are missing from the log", n)
		}
		if err != nil {
			return nil, fmt.Errorf("hash of event %d: %w", n, err)
		}
		at := level * tlog.HashSize
		if len(b) < at+tlog.HashSize {
			return nil, faultf("the hashes of event %d are cut: %d bytes have no level %d", n, len(b), level)
		}
		out[i] = tlog.Hash(b[at : at+tlog.HashSize])
	}
	return out, nil
}
