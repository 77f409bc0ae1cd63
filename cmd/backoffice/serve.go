package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/backup"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/exchange"
	"backoffice/internal/format"
	"backoffice/internal/guide"
	"backoffice/internal/keyring"
	"backoffice/internal/oauth"
	"backoffice/internal/server"
	"backoffice/internal/signin"
	"backoffice/internal/store/bolt"
	"backoffice/internal/webhook"
)

// serveCommand is "backoffice serve".
type serveCommand struct{ settings }

// Run checks the settings and serves until ctx ends.
func (s *serveCommand) Run(ctx context.Context, con console) error {
	return serve(ctx, s.settings, "", con)
}

// serve runs the program with s until ctx ends, and then lets the requests
// under way finish. sandbox is the address of a rehearsal sandbox, or "".
func serve(ctx context.Context, s settings, sandbox string, con console) (err error) {
	c, err := s.check()
	if err != nil {
		return err
	}
	tuneMemory()
	log := newLog(s.LogFormat, con.err)
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w. Make it yourself, or name another with --data", err)
	}
	db, err := bolt.Open(c.dataFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := format.Readable(ctx, db); err != nil {
		return said(err)
	}
	box, err := unlock(ctx, db, c, con)
	if err != nil {
		return err
	}
	if err := upgrade(ctx, c, db, log); err != nil {
		return err
	}
	if err := errors.Join(backup.SweepAll(c.Data), sweepRestores(c.Data)); err != nil {
		log.Warn("removing what backups that were cut short have left", "error", err)
	}
	keys := keyring.New(keyring.Options{Store: keyring.Guard(db, box), Box: box, Keeper: c.keys, Now: time.Now, Pause: resealPause, Rest: db.Rest,
		Failed: func(what string, err error) { log.Error(what, "error", err) }})
	if err := keys.Note(ctx, consoleActor); err != nil {
		return err
	}
	h, err := house(c, sandbox, db, keys, log, con.out)
	if err != nil {
		return err
	}
	// Tests under way outlive their requests, and pages that watch them wait for
	// their end. They stop as soon as the program is to end, and before the store.
	defer h.oauth.Close()
	defer context.AfterFunc(ctx, h.oauth.Close)()
	defer h.webhooks.Close()
	defer context.AfterFunc(ctx, h.webhooks.EndWatches)()
	if err := h.config.Begin(ctx, audit.Actor{Name: "console"}); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("listening on %s: %w. Is another program there? Choose another address with --addr", c.Addr, err)
	}
	if err := h.greet(ctx, c, con, ln.Addr()); err != nil {
		return errors.Join(err, ln.Close())
	}
	answerConsole := openSocket(c.Data, h.commands(), log)
	if c.ready != nil {
		c.ready(ln.Addr())
	}
	ctx, stop := context.WithCancel(ctx)
	var sweeping sync.WaitGroup
	sweeping.Go(func() { h.sweep(ctx) })
	sweeping.Go(func() { h.watch(ctx) })
	sweeping.Go(func() { h.watchPromotions(ctx) })
	sweeping.Go(func() { h.keys.Run(ctx) })
	sweeping.Go(func() { watchLog(ctx, h.events, db, log) })
	sweeping.Go(func() { keepBackups(ctx, h.backups, log) })
	sweeping.Go(func() { h.steward.watch(ctx) })
	sweeping.Go(func() { answerConsole(ctx) })
	defer sweeping.Wait()
	defer stop()
	return listen(ctx, h.handler, ln, c.cert, log)
}

// tuneMemory trades a few megabytes for a tenth of the processor: with a list of
// 10,000 entries in memory, a page costs more to clean up after than to draw.
// Near the limit it cleans up more often instead. The operator's GOGC and GOMEMLIMIT
// win.
func tuneMemory() {
	const percent, limit = 150, 160 << 20
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

// rooms are the parts that serve needs after they are put together.
type rooms struct {
	handler  http.Handler
	auth     *auth.Service
	config   *config.Service
	sessions *auth.SessionStore
	signIn   *signin.Service
	oauth    *oauth.Service
	webhooks *webhook.Service
	events   audit.Watch
	backups  *backup.Service
	keys     *keyring.Ring
	steward  *steward
	log      *slog.Logger
}

// resealPause is how long re-sealing rests between two portions, at least.
const resealPause = 20 * time.Millisecond

// house puts the rooms together. All of them write through the guarded store of the
// keys, over file.
func house(c checked, sandbox string, file *bolt.DB, keys *keyring.Ring, log *slog.Logger, stdout io.Writer) (rooms, error) {
	db, box := keys.Store, keys.Box
	catalogue, err := definitions(c, sandbox)
	if err != nil {
		return rooms{}, err
	}
	allow := c.AllowHosts
	if sandbox != "" {
		allow = append(allow, hostOf(sandbox))
	}
	guard, err := egress.New(egress.Options{Allow: allow})
	if err != nil {
		return rooms{}, fmt.Errorf("--allow-hosts: %w", err)
	}
	now := time.Now
	own, err := ownAddress(c, db, now)
	if err != nil {
		return rooms{}, err
	}
	archive := archiveIn(c.AuditArchive)
	notary, err := notaryOf(db, box, archive)
	if err != nil {
		return rooms{}, err
	}
	entries := config.New(config.Options{Store: db, Box: box, Catalogue: catalogue, Now: now, Approval: config.Rule(c.Approval)})
	events, err := watchOf(c, file, notary, archive, guard, stdout)
	if err != nil {
		return rooms{}, err
	}
	care := &steward{db: file, log: log}
	if c.keys.InFile() {
		care.key = c.KeyFile
	}
	r := rooms{log: log, events: events, keys: keys, config: entries, backups: backupsOf(c, file, db, box, notary), steward: care,
		auth:     auth.New(auth.Options{Store: db, Box: box, Now: now, PublicURL: c.public}),
		sessions: auth.NewSessionStore(db, auth.SessionOptions{Secure: c.public.Scheme == "https", Proof: c.ConfirmAfter, Now: now}),
		oauth: oauth.New(oauth.Options{Store: db, Box: box, Config: entries, Guard: guard,
			PublicURL: c.public.String(), Now: now, CheckOwn: checkOwn(own),
			Panicked: func(run, what string, stack []byte) {
				log.Error("panic in a test", "run", run, "type", what, "stack", string(stack))
			}, RadarOff: c.Radar == "off"})}
	r.webhooks, err = receive(c, webhook.Options{Store: db, Box: box, Config: entries, Guard: guard, Now: now}, log)
	if err != nil {
		return rooms{}, err
	}
	r.signIn = signin.New(signin.Options{Store: db, Box: box, Auth: r.auth, Guard: guard, PublicURL: c.public.String(), Now: now})
	files, err := exchange.Open(context.Background(), exchange.Options{Store: db, Box: box, Config: entries, Now: now, Origin: c.public.String()})
	if err != nil {
		return rooms{}, err
	}
	r.handler, err = server.New(server.Deps{Store: db, Config: entries, Catalogue: catalogue, OAuth: r.oauth, Auth: r.auth,
		Sessions: r.sessions, SignIn: r.signIn, Outside: own, Webhooks: r.webhooks, Backups: r.backups, Guide: guide.New(guide.Options{Store: db, Config: entries, Now: now}), Exchange: files, Audit: audit.NewLog(db).With(archive), Notary: notary, AuditState: events.State, AuditCheck: events.Checker.Ask, Keys: keys, Log: log, Now: now,
		Site: server.Site{PublicURL: c.public, Environment: c.Environment, Proxies: c.proxies, Version: version, Started: now(),
			DataFile: c.dataFile, DataSize: func() int64 { return file.Stats().FileSize }, FreeShare: func() float64 { return file.Stats().FreeShare }, Commits: func() (int64, int64) { s := file.Stats(); return s.Updates, s.Commits }, KeyFile: c.keys.Words(), KeyWrapped: c.keys.Wrapped, KeyInFile: c.keys.InFile(), Sandbox: sandbox,
			MetricsToken: c.MetricsToken.Text, SecondFactor: auth.FactorPolicy(c.SecondFactor),
			Ready: care.ready, Trouble: care.trouble, Notes: care.notes}})
	return r, err
}

// definitions are the built-in connectors, the operator's own, and in a
// rehearsal the way to the sandbox.
func definitions(c checked, sandbox string) (*connector.Catalogue, error) {
	catalogue, err := connector.Builtin()
	if err != nil {
		return nil, err
	}
	if c.Connectors != "" {
		if catalogue, err = catalogue.With(c.Connectors); err != nil {
			return nil, err
		}
	}
	if sandbox != "" {
		return catalogue.Rehearse("intercom", sandbox)
	}
	return catalogue, nil
}

// greet says on the console where the program is, and prints the one-time
// set-up link while there is no admin.
func (r rooms) greet(ctx context.Context, c checked, con console, addr net.Addr) error {
	token, needed, err := r.auth.SetupToken(ctx)
	if err != nil {
		return fmt.Errorf("making the set-up link: %w", err)
	}
	fmt.Fprintf(con.out, "BackOffice %s is at %s (listening on %s)\n", version, c.public, addr)
	fmt.Fprintf(con.out, "The audit log is signed. Its public key, for backoffice audit verify: %s\n", r.events.Notary.Key())
	if needed {
		fmt.Fprintf(con.out, "\nThere is no admin yet. Open this link once to create the first one:\n\n  %s/setup?token=%s\n\n", c.public, token.Reveal())
	}
	return nil
}

// sweep removes every ten minutes what has expired.
func (r rooms) sweep(ctx context.Context) {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		for name, f := range map[string]func(context.Context) error{"sessions": r.sessions.Sweep, "sign-in counts": r.auth.Sweep, "consent flows": r.oauth.Sweep, "sign-ins": r.signIn.Sweep,
			"notifications": r.webhooks.Sweep} {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				r.log.Error("sweeping", "what", name, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// watch lets the radar ask what is due, one entry at a time.
func (r rooms) watch(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.oauth.RadarSweep(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("radar", "error", err)
		}
	}
}

// watchPromotions goes on with the checks that people chose when they promoted a
// new secret. It goes on where the records say, also after a restart.
func (r rooms) watchPromotions(ctx context.Context) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		if err := r.oauth.WatchSweep(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("watching promotions", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// shutdownTime is how long requests under way may take when the program ends: a
// consent run that has come back makes two calls of at most ten seconds each, and
// its code is used up by then.
const shutdownTime = 25 * time.Second

// listen answers on ln until ctx ends.
func listen(ctx context.Context, h http.Handler, ln net.Listener, cert *tls.Certificate, log *slog.Logger) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ConnState: newCrowd(maxConnections).state, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	failed := make(chan error, 1)
	go func() {
		if cert != nil {
			srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}
			failed <- srv.ServeTLS(ln, "", "")
			return
		}
		failed <- srv.Serve(ln)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := srv.Shutdown(ending); err != nil {
		return fmt.Errorf("ending: some requests took longer than %s: %w", shutdownTime, err)
	}
	return nil
}

func newLog(format string, w io.Writer) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
