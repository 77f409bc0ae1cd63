package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// How hard the program is pressed. The benchmark loads it over 16 connections.
const (
	slowClients  = 64
	idleConns    = 1000
	benchClients = 16
	timesAsMany  = 16
	endlessEach  = 2         // bodies that never end, for each route that takes one
	mostMemory   = 256 << 20 // bytes
)

// pressFor is how long: a moment as a part of all tests.
func pressFor() time.Duration {
	if os.Getenv(roundsVar) != "" {
		return 30 * time.Second
	}
	return 3 * time.Second
}

// endlessRoutes take bodies. What a person has to be signed in for is asked with the
// owner's session.
var endlessRoutes = []string{"/login", "/login/code", "/setup", "/invite", "/theme", "/logout", "/webhooks/intercom", "/webhooks/acme/intercom", "/webhooks/nobody/nothing",
	"/config", "/config/load-0:intercom", "/config/load-0:intercom/promote", "/config/load-0:intercom/test", "/config/test-values", "/account/password", "/settings/outside-in/browser", "/audit/export", "/nowhere"}

// A press is what is done to the program, and what came of it.
type press struct {
	*patientProgram
	ctx     context.Context
	host    string
	cookies string

	pages, wrong, busy, bodies, notes, saved atomic.Int64
	mu                                       sync.Mutex
	wrongs                                   []string
	refusals                                 map[string]map[string]int // by route: what became of bodies
}

func (x *press) fault(format string, args ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.wrong.Add(1); len(x.wrongs) < 20 {
		x.wrongs = append(x.wrongs, fmt.Sprintf(format, args...))
	}
}

// Under slow clients, idle connections, bodies that never end and sixteen times the
// load of the benchmark, all at once, answers are right, health checks answer and the
// memory stays bounded; afterwards all is as before.
func TestFaultOverload(t *testing.T) {
	p := &patientProgram{trial: newTrial(t, rand.New(rand.NewPCG(1, 1)))}
	p.build(t)
	if status, _ := p.save(t, "first"); status != http.StatusSeeOther {
		t.Fatalf("saving answers %d", status)
	}
	ctx, cancel := context.WithTimeout(t.Context(), pressFor())
	defer cancel()
	x := &press{patientProgram: p, ctx: ctx, host: strings.TrimPrefix(p.load.base, "http://"), refusals: map[string]map[string]int{}}
	at, err := url.Parse(p.load.base)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.load.owner.Jar.Cookies(at) {
		x.cookies += c.Name + "=" + c.Value + "; "
	}
	before := resident(t, p.cmd.Process.Pid)
	var all sync.WaitGroup
	var most, longest atomic.Int64
	all.Go(func() { x.sample(t, &most) })
	all.Go(func() { x.health(&longest) })
	for range idleConns {
		all.Go(x.idle)
	}
	for i := range slowClients {
		all.Go(func() { x.slow(i) })
	}
	for _, route := range endlessRoutes {
		for range endlessEach {
			all.Go(func() { x.endless(route) })
		}
	}
	for i := range benchClients * timesAsMany {
		all.Go(func() { x.load256(i) })
	}
	all.Wait()
	for _, w := range x.wrongs {
		t.Error(w)
	}
	if most.Load() >= mostMemory {
		t.Errorf("it had %d MB of memory, want less than %d", most.Load()>>20, mostMemory>>20)
	}
	if x.pages.Load() == 0 || x.bodies.Load() == 0 || x.notes.Load() == 0 || x.saved.Load() == 0 {
		t.Errorf("%d pages, %d bodies, %d notifications, %d saves: it was not pressed", x.pages.Load(), x.bodies.Load(), x.notes.Load(), x.saved.Load())
	}
	t.Logf("%s of %d slow clients, %d idle connections, %d endless bodies at a time and %d connections: %d pages, %d notifications and %d saves answered rightly, %d told to come later, %d bodies ended; memory %d MB before, %d MB at most, limit %d MB; the longest health check took %s",
		pressFor(), slowClients, idleConns, len(endlessRoutes)*endlessEach, benchClients*timesAsMany, x.pages.Load(), x.notes.Load(), x.saved.Load(), x.busy.Load(), x.bodies.Load(),
		before>>20, most.Load()>>20, mostMemory>>20, time.Duration(longest.Load()).Round(time.Millisecond))
	for route, what := range x.refusals {
		t.Logf("  a body without end at %-32s %v", route, what)
	}
	p.recovered(t)
	time.Sleep(2 * time.Second) // for the memory, which is given back by and by
	t.Logf("afterwards %d MB", resident(t, p.cmd.Process.Pid)>>20)
	p.stop(t)
	sound(t, filepath.Join(p.dir, "backoffice.db"))
}

// build starts the program as it is shipped: what a test is built with takes memory
// of its own.
func (p *patientProgram) build(t *testing.T) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "backoffice")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build does
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, b)
	}
	p.log = &buffer{}
	p.killed.log, p.killed.binary = p.log, binary
	p.cmd, p.load.base = p.program(t, "--second-factor", "off", "--radar", "off")
	p.ready(t)
}

// resident is the memory that the kernel counts of a process, in bytes.
func resident(t *testing.T, pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

func (x *press) sample(t *testing.T, most *atomic.Int64) {
	for x.ctx.Err() == nil {
		most.Store(max(most.Load(), resident(t, x.cmd.Process.Pid)))
		time.Sleep(20 * time.Millisecond)
	}
}

// health asks as an orchestrator does: each time over a connection of its own.
func (x *press) health(longest *atomic.Int64) {
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for x.ctx.Err() == nil {
		for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
			began := time.Now()
			res, err := c.Get(x.load.base + path)
			if err != nil {
				x.fault("%s: %v", path, err)
				continue
			}
			b, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK || string(b) != want {
				x.fault("%s answers %d %q, %v", path, res.StatusCode, b, err)
			}
			longest.Store(max(longest.Load(), int64(time.Since(began))))
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// idle is a connection that says nothing.
func (x *press) idle() {
	conn, err := net.DialTimeout("tcp", x.host, 20*time.Second)
	if err != nil {
		x.fault("an idle connection: %v", err)
		return
	}
	defer conn.Close()
	<-x.ctx.Done()
}

// slow sends or reads a byte a second.
func (x *press) slow(i int) {
	conn, err := net.DialTimeout("tcp", x.host, 20*time.Second)
	if err != nil {
		x.fault("a slow client: %v", err)
		return
	}
	defer conn.Close()
	switch i % 3 {
	case 0: // its request
		x.drip(conn, "GET /login HTTP/1.1\r\nHost: localhost:8080\r\nX-Slow: "+strings.Repeat("slow", 1000))
	case 1: // its body
		fmt.Fprint(conn, "POST /webhooks/intercom HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: 100000\r\n\r\n")
		x.drip(conn, strings.Repeat("x", 1000))
	case 2: // its answer, and asks for more all the time
		for range 100 {
			fmt.Fprintf(conn, "GET /config/load-0:intercom/edit HTTP/1.1\r\nHost: localhost:8080\r\nCookie: %s\r\n\r\n", x.cookies)
		}
		b := make([]byte, 1)
		for x.ctx.Err() == nil {
			if _, err := conn.Read(b); err != nil {
				return
			}
			x.pause(time.Second)
		}
	}
}

func (x *press) drip(conn net.Conn, text string) {
	for i := range len(text) {
		if _, err := io.WriteString(conn, text[i:i+1]); err != nil || x.ctx.Err() != nil {
			return // the server has had enough
		}
		x.pause(time.Second)
	}
}

func (x *press) pause(d time.Duration) {
	select {
	case <-x.ctx.Done():
	case <-time.After(d):
	}
}

// endless sends bodies that never end. The server answers or hangs up, and never
// carries out what was asked.
func (x *press) endless(route string) {
	for x.ctx.Err() == nil {
		what := x.oneEndless(route)
		x.bodies.Add(1)
		x.mu.Lock()
		if x.refusals[route] == nil {
			x.refusals[route] = map[string]int{}
		}
		x.refusals[route][what]++
		x.mu.Unlock()
		if strings.HasPrefix(what, "2") {
			x.fault("a body without end at %s is answered with %s", route, what)
		}
		x.pause(50 * time.Millisecond)
	}
}

func (x *press) oneEndless(route string) string {
	conn, err := net.DialTimeout("tcp", x.host, 20*time.Second)
	if err != nil {
		return "no connection"
	}
	defer conn.Close()
	stop := context.AfterFunc(x.ctx, func() { conn.Close() })
	defer stop()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost:8080\r\nCookie: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n", route, x.cookies)
	go func() {
		chunk := []byte("4000\r\n" + "name=" + strings.Repeat("v", 0x4000-5) + "\r\n")
		for {
			if _, err := conn.Write(chunk); err != nil {
				return
			}
		}
	}()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	switch {
	case x.ctx.Err() != nil:
		return "still under way"
	case err != nil:
		return "hung up"
	}
	return strconv.Itoa(res.StatusCode)
}

// load256 asks for pages, saves and sends notifications, as fast as it is answered.
func (x *press) load256(i int) {
	c := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer c.CloseIdleConnections()
	tr := &http.Transport{MaxIdleConnsPerHost: 1}
	c.Transport = tr
	defer tr.CloseIdleConnections()
	for n := 0; x.ctx.Err() == nil; n++ {
		switch {
		case i < 32:
			status, err := signedPost(x.load.base+"/webhooks/intercom", fmt.Sprintf(`{"id":"over-%d-%d","topic":"ping"}`, i, n))
			x.judge(status, err, &x.notes, "a notification")
		case i == 32:
			m := x.editors[1].m
			a := m.choose(func(int) int { return 15 }, fmt.Sprintf("over-%d", n))
			path, form := m.form(a)
			req, _ := http.NewRequest(http.MethodPost, x.load.base+path, strings.NewReader(form.Encode()))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			status, _, err := x.ask(c, req)
			if x.judge(status, err, &x.saved, "a save") {
				m.after(a)
			}
		default:
			path, words := x.some(i + n)
			req, _ := http.NewRequest(http.MethodGet, x.load.base+path, nil)
			status, body, err := x.ask(c, req)
			if x.judge(status, err, &x.pages, path) && !strings.Contains(body, words) {
				x.fault("%s lacks %q", path, words)
			}
		}
	}
}

// some is a page and what has to be on it.
func (x *press) some(i int) (path, words string) {
	pages := [][2]string{{"/config", "load-0:intercom"}, {"/config/load-0:intercom", "client-first"}, {"/config/load-0:intercom/history", "Under load"}, {"/login", "/login"}, {"/audit", "Audit log"}, {"/config/load-0:intercom/edit", "f.clientId"}, {"/webhooks", "Webhooks"}, {"/", "Overview"}}
	pages[1][1] = "load-0:intercom"
	p := pages[i%len(pages)]
	if p[0] == "/login" {
		p = [2]string{"/settings", "Public URL"}
	}
	return p[0], p[1]
}

func (x *press) ask(c *http.Client, req *http.Request) (int, string, error) {
	req.Header.Set("Cookie", x.cookies)
	res, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// judge counts an answer: 503 with words to come later is right, too, an error is not.
func (x *press) judge(status int, err error, count *atomic.Int64, what string) bool {
	switch {
	case err != nil && (x.ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded)):
		return false
	case err != nil:
		x.fault("%s: %v", what, err)
		return false
	case status == http.StatusOK || status == http.StatusSeeOther:
		count.Add(1)
		return true
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		x.busy.Add(1)
		return false
	}
	x.fault("%s is answered with %d", what, status)
	return false
}
