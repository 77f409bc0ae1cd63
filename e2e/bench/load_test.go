//go:build bench

package bench

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// load sends a fixed number of requests over a fixed number of connections and
// returns how many were answered a second.
func load(t *testing.T, client *http.Client, url string) float64 {
	t.Helper()
	var left, bad atomic.Int64
	left.Store(requests)
	var wg sync.WaitGroup
	began := time.Now()
	for range connections {
		wg.Go(func() {
			buf := make([]byte, 64<<10)
			for left.Add(-1) >= 0 {
				res, err := client.Get(url)
				if err != nil {
					bad.Add(1)
					continue
				}
				if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, res.Body, buf); err != nil || res.StatusCode != http.StatusOK {
					bad.Add(1)
				}
				res.Body.Close()
			}
		})
	}
	wg.Wait()
	if n := bad.Load(); n > 0 {
		t.Fatalf("%d of %d requests for %s failed", n, requests, url)
	}
	return requests / time.Since(began).Seconds()
}

// serveBare is what the pages are measured beside: an echo handler that answers
// a small JSON object and does nothing else.
func serveBare(addr string) error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]any{"id": "acme:intercom", "version": 6, "ok": true})
	})
	e.POST("/hook", func(c echo.Context) error { // what a receiver of notifications is measured beside
		if _, err := io.ReadAll(c.Request().Body); err != nil {
			return err
		}
		return c.NoContent(http.StatusOK)
	})
	return e.Start(addr)
}

func runBare(t *testing.T) (url string, pid int) {
	t.Helper()
	addr := freeAddr(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := spawn(t, exec.Command(self), "BENCH_BARE="+addr)
	waitFor(t, "http://"+addr+"/", time.Now())
	return "http://" + addr + "/", cmd.Process.Pid
}

// A child is a process that this run started.
type child struct {
	url string
	pid int
	cmd *exec.Cmd
}

func spawn(t *testing.T, cmd *exec.Cmd, env ...string) *exec.Cmd {
	t.Helper()
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func build(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "backoffice")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "backoffice/cmd/backoffice")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build does
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, b)
	}
	return out
}

// run starts the program, as a production would, on the data in dir.
func run(t *testing.T, binary, dir string) child {
	t.Helper()
	addr := freeAddr(t)
	cmd := spawn(t, exec.Command(binary, "serve", "--second-factor", "off", "--addr", addr, "--public-url", "http://"+addr, "--data", dir))
	return child{"http://" + addr, cmd.Process.Pid, cmd}
}

func (c child) stop(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait()
}

// waitFor returns how long after began the address answered for the first time.
func waitFor(t *testing.T, url string, began time.Time) time.Duration {
	t.Helper()
	for time.Since(began) < 30*time.Second {
		if res, err := http.Get(url); err == nil {
			res.Body.Close()
			return time.Since(began)
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("no answer from %s", url)
	return 0
}

// memory is what the kernel says of the process: all resident bytes, and those
// that are not pages of a file.
func memory(t *testing.T, pid int) (rss, anon int64) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			rss = n << 10
		case "RssAnon:":
			anon = n << 10
		}
	}
	return rss, anon
}

// processor is the time that the process has spent on processors, in the
// kernel and outside, to a hundredth of a second.
func processor(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

func size(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "backoffice.db"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
