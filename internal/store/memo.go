package store

import (
	"bytes"
	"sync"
)

// A Memo remembers what the records of a [Table] decode to, so that a record
// that is read at every request is decoded once. It is no cache of the store:
// the bytes are read each time, and only if they are those of the last time is
// the decoding saved. So a Memo is never stale, whatever store they come from,
// and a callback that uses one stays pure.
//
// What it returns is shared: callers must not change what slices, maps and
// pointers in it lead to. It is safe for concurrent use.
type Memo[T any] struct {
	max   int
	limit int // bytes of a record
	clip  func(*T)

	mu   sync.RWMutex
	last map[string]memoized[T]
}

type memoized[T any] struct {
	bytes []byte
	value T
}

// NewMemo returns a Memo of at most max records, of which none is large. clip, if not nil, is called
// once for each decoded record, to take the spare capacity off its slices: else
// two callers that append to one would write to the same memory.
func NewMemo[T any](max int, clip func(*T)) *Memo[T] {
	return &Memo[T]{max: max, limit: memoRecord, clip: clip, last: make(map[string]memoized[T], max)}
}

// memoRecord is the size of a record, in bytes, above which it is not remembered:
// records are counted, so a few very large ones must not fill the memory.
const memoRecord = 16 << 10

// UpTo has m remember records of up to this many bytes, and returns m. Call it
// before the first use, on one of few records.
func (m *Memo[T]) UpTo(bytes int) *Memo[T] {
	m.limit = bytes
	return m
}

// decode is f(b), or what it returned for these bytes before.
func (m *Memo[T]) decode(key string, b []byte, f func([]byte) (T, error)) (T, error) {
	if m == nil {
		return f(b)
	}
	m.mu.RLock()
	got, ok := m.last[key]
	m.mu.RUnlock()
	if ok && bytes.Equal(got.bytes, b) {
		return got.value, nil
	}
	v, err := f(b)
	if err != nil || len(b) > m.limit {
		return v, err
	}
	if m.clip != nil {
		m.clip(&v)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.last[key]; !there && len(m.last) >= m.max {
		for k := range m.last { // any one: records that are read often come back
			delete(m.last, k)
			break
		}
	}
	m.last[key] = memoized[T]{b, v}
	return v, nil
}

// Len is how many records are remembered.
func (m *Memo[T]) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.last)
}
