package server

import (
	"errors"
	"net/netip"
	"sync"
)

// errNoRoom says that too many bodies are in memory.
var errNoRoom = errors.New("no room for a body")

// A room is how many bytes of bodies are in memory, in all and by source: one
// that sends many large ones slowly must not take the room of all others. It is
// safe for concurrent use.
type room struct {
	mu  sync.Mutex
	all int64
	of  map[netip.Prefix]int64
}

func newRoom() *room { return &room{of: map[netip.Prefix]int64{}} }

// A lease is the part of a room that one body has. It is of one goroutine.
type lease struct {
	room   *room
	source netip.Prefix
	size   int64
}

// take makes the lease larger, if there is room.
func (l *lease) take(more int64) bool {
	x := l.room
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.all+more > maxHeld || x.of[l.source]+more > maxOfOne {
		return false
	}
	x.all, x.of[l.source], l.size = x.all+more, x.of[l.source]+more, l.size+more
	return true
}

// end gives all of it back.
func (l *lease) end() {
	x := l.room
	x.mu.Lock()
	defer x.mu.Unlock()
	x.all, x.of[l.source] = x.all-l.size, x.of[l.source]-l.size
	if x.of[l.source] == 0 {
		delete(x.of, l.source)
	}
	l.size = 0
}
