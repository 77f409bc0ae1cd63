package sandbox_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"backoffice/internal/sandbox"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// Serve ends with its context, also while somebody waits for a slow answer.
func TestServe(t *testing.T) {
	p, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var f sandbox.Faults
	f.Trouble[sandbox.AtMe].Delay = sandbox.MaxDelay
	p.Set(f)
	arrived := make(chan struct{})
	p.SetSleep(func(r *http.Request, d time.Duration) { close(arrived); sandbox.Sleep(r, d) })

	ctx, cancel := contextOf(t)
	ln, ended := listen(t), make(chan error, 1)
	go func() { ended <- p.Serve(ctx, ln) }()
	base := "http://" + ln.Addr().String()
	res, err := http.Get(base + "/")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	slow := make(chan int, 1)
	go func() {
		res, err := http.Get(base + "/me")
		if err != nil {
			slow <- 0
			return
		}
		res.Body.Close()
		slow <- res.StatusCode
	}()
	<-arrived
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if got := <-slow; got != http.StatusUnauthorized {
		t.Errorf("the slow request got %d", got)
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

func TestServeSaysWhatFailed(t *testing.T) {
	p, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln := listen(t)
	ln.Close()
	if err := p.Serve(t.Context(), ln); err == nil {
		t.Error("Serve on a closed listener returned nil")
	}
}
