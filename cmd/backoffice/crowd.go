package main

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// maxConnections is how many connections are open at once. Each takes some ten
// kilobytes. Beyond it, the one that has been doing nothing for longest is closed.
const maxConnections = 1500

// A crowd keeps the number of connections of a server bounded without keeping
// newcomers out: who does nothing makes room for who comes. It is safe for concurrent
// use.
type crowd struct {
	most int

	mu    sync.Mutex
	all   int
	still *list.List                 // of net.Conn that have no request under way, the longest first
	place map[net.Conn]*list.Element // in still; nil while a request is under way
}

func newCrowd(most int) *crowd {
	return &crowd{most: most, still: list.New(), place: map[net.Conn]*list.Element{}}
}

// state is the http.Server's ConnState. A connection counts as still until its first
// request was read: who sends a byte a second is as good as silent.
func (c *crowd) state(conn net.Conn, s http.ConnState) {
	if out := c.note(conn, s); out != nil {
		_ = out.Close() // the server notices, and tells that it is closed
	}
}

func (c *crowd) note(conn net.Conn, s http.ConnState) (out net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.place[conn]; at != nil {
		c.still.Remove(at)
		c.place[conn] = nil
	}
	switch s {
	case http.StateNew:
		c.all++
		c.place[conn] = c.still.PushBack(conn)
	case http.StateIdle:
		c.place[conn] = c.still.PushBack(conn)
	case http.StateHijacked, http.StateClosed:
		c.all--
		delete(c.place, conn)
	}
	if c.all <= c.most || c.still.Len() == 0 {
		return nil
	}
	longest := c.still.Front()
	out, _ = longest.Value.(net.Conn)
	c.still.Remove(longest)
	c.place[out] = nil
	return out
}
