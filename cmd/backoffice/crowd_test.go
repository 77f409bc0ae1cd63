package main

import (
	"net"
	"net/http"
	"testing"
)

// Beyond the most, whoever has done nothing for longest goes, and never somebody with
// a request under way.
func TestCrowd(t *testing.T) {
	c := newCrowd(3)
	conns := make([]net.Conn, 6)
	for i := range conns {
		conns[i], _ = net.Pipe()
	}
	name := func(conn net.Conn) int {
		for i := range conns {
			if conns[i] == conn {
				return i
			}
		}
		return -1
	}
	for i, step := range []struct {
		conn int
		to   http.ConnState
		out  int
	}{
		{0, http.StateNew, -1},
		{1, http.StateNew, -1},
		{0, http.StateActive, -1},
		{2, http.StateNew, -1},
		{3, http.StateNew, 1}, // 0 has a request under way
		{1, http.StateClosed, -1},
		{0, http.StateIdle, -1},
		{4, http.StateNew, 2},
		{2, http.StateClosed, -1},
		{4, http.StateActive, -1},
		{3, http.StateActive, -1},
		{5, http.StateNew, 0},
		{0, http.StateClosed, -1},
		{5, http.StateActive, -1},
		{1, http.StateNew, 1}, // all others have a request under way
		{1, http.StateClosed, -1},
		{3, http.StateHijacked, -1},
		{2, http.StateNew, -1},
	} {
		if out := name(c.note(conns[step.conn], step.to)); out != step.out {
			t.Errorf("step %d: %d goes, want %d", i, out, step.out)
		}
	}
}
