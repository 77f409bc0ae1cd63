package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"backoffice/internal/egress"
	"backoffice/internal/sandbox"
	"backoffice/internal/webhook"

	"golang.org/x/sync/errgroup"
)

// sandboxCommand is "backoffice sandbox".
type sandboxCommand struct {
	Addr        string `help:"Address to listen on. It must be of this machine alone." default:"127.0.0.1:8081" env:"BACKOFFICE_SANDBOX_ADDR"`
	URL         string `help:"Address of the sandbox as browsers see it. Default: http://localhost and the port." env:"BACKOFFICE_SANDBOX_URL" placeholder:"URL"`
	RedirectURI string `help:"Redirect URI that is registered at the start." default:"http://localhost:8080/auth/intercom/callback"`
	Notify      string `help:"Address that notifications are sent to at the start. Its host may be sent to; beside it, only this machine." default:"http://localhost:8080/webhooks/intercom"`
}

// Run serves the sandbox until ctx ends.
func (s *sandboxCommand) Run(ctx context.Context, con console) error {
	ln, base, err := openSandbox(s.Addr, s.URL)
	if err != nil {
		return err
	}
	return serveSandbox(ctx, ln, sandbox.Options{BaseURL: base, Seed: base, RedirectURIs: []string{s.RedirectURI}, NotifyURL: s.Notify}, con)
}

// openSandbox listens for a sandbox and returns its address.
func openSandbox(addr, base string) (net.Listener, string, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || !loopback(host) {
		return nil, "", fmt.Errorf("the sandbox is for this machine alone, and %q is not. Use 127.0.0.1:8081", addr)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, "", fmt.Errorf("listening for the sandbox: %w. Is another program there? Choose another address: backoffice rehearse --sandbox-addr, or backoffice sandbox --addr", err)
	}
	if base == "" {
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		base = "http://localhost:" + port
	}
	return ln, base, nil
}

// serveSandbox serves a sandbox until ctx ends. The seed of its client id and
// secret is fixed, so that an entry still fits after a restart.
func serveSandbox(ctx context.Context, ln net.Listener, o sandbox.Options, con console) error {
	client, err := notifier(o.NotifyURL)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	o.Client = client
	p, err := sandbox.New(o)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	fmt.Fprintf(con.out, "The rehearsal sandbox is at %s: its page has a client id and a client secret to paste.\n", o.BaseURL)
	return p.Serve(ctx, ln)
}

// notifier is the client with which a sandbox sends notifications. Its guard is
// its own: it lets them to this machine, and to the host of the address that the
// operator named.
func notifier(address string) (*http.Client, error) {
	allow := []string{"localhost", "127.0.0.1", "[::1]"}
	if u, err := url.Parse(address); err == nil && u.Host != "" && !loopback(u.Hostname()) {
		allow = append(allow, u.Host)
	}
	guard, err := egress.New(egress.Options{Allow: allow})
	if err != nil {
		return nil, fmt.Errorf("the address for notifications: %w", err)
	}
	return guard.Client(egress.CallOptions{}), nil
}

// rehearseCommand is "backoffice rehearse": the program and the sandbox in one
// process, on this machine.
type rehearseCommand struct {
	Addr        string `help:"Address of the program." default:"127.0.0.1:8080"`
	SandboxAddr string `help:"Address of the sandbox." default:"127.0.0.1:8081"`
	Data        string `help:"Directory of the data file and the key file." default:"data"`
	Radar       string `help:"Whether each entry in force is asked once a day, unattended: daily or off." default:"off"`

	SecondFactor string        `help:"Who has to have a second factor: reveal (whose role may reveal secrets), all, or off." default:"off"`
	ConfirmAfter time.Duration `help:"How long a password counts for what asks for it again." default:"5m"`

	ready func(net.Addr)
}

// Run serves both until ctx ends or one of them fails.
func (r *rehearseCommand) Run(ctx context.Context, con console) error {
	ln, base, err := openSandbox(r.SandboxAddr, "")
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(r.Addr)
	if err != nil || !loopback(host) {
		return errors.Join(fmt.Errorf("a rehearsal is for this machine alone, and %q is not. Use 127.0.0.1:8080, or backoffice serve", r.Addr), ln.Close())
	}
	s := settings{Addr: r.Addr, PublicURL: "http://localhost:" + port, Data: r.Data, Environment: "rehearsal", LogFormat: "text", Radar: r.Radar, SecondFactor: r.SecondFactor, ConfirmAfter: r.ConfirmAfter,
		WebhookKeep: webhook.DefaultNotifications, WebhookDays: int(webhook.DefaultAge / day), WebhookBytes: webhook.DefaultBytes, WebhookRate: webhook.DefaultRate, ready: r.ready}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		o := sandbox.Options{BaseURL: base, Seed: base, RedirectURIs: []string{s.PublicURL + "/auth/intercom/callback"}, NotifyURL: s.PublicURL + "/webhooks/intercom"}
		return serveSandbox(ctx, ln, o, con)
	})
	both.Go(func() error { return serve(ctx, s, base, con) })
	return both.Wait()
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Host
}
