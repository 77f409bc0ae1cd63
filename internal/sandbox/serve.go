package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Serve answers on ln until ctx is done; then requests in flight get five
// seconds, and those that are slow on purpose are ended at once. It returns nil
// after such an end, and closes ln in every case.
func (p *Provider) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      MaxDelay + 30*time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err := srv.Shutdown(end)
		if err != nil {
			err = errors.Join(err, srv.Close())
		}
		stopped <- err
	})
	defer p.sender.stop()
	err := srv.Serve(ln)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the sandbox: %w", errors.Join(err, srv.Close()))
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("stopping the sandbox: %w", err)
	}
	return nil
}
