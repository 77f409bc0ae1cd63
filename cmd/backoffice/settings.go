package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"backoffice/internal/backup"
	"backoffice/internal/config"
	"backoffice/internal/egress"
	"backoffice/internal/keeper"
	"backoffice/internal/secret"
)

// settings are what an operator may set. No room sees them: each is handed its
// values.
type settings struct {
	Addr           string        `help:"Address to listen on." default:"127.0.0.1:8080" env:"BACKOFFICE_ADDR"`
	PublicURL      string        `help:"Origin that browsers and providers see, as https://backoffice.example.com. Redirect URIs are built from it alone." env:"BACKOFFICE_PUBLIC_URL" placeholder:"URL"`
	Data           string        `help:"Directory of the data file, and of the key file unless --key-file names another." default:"data" env:"BACKOFFICE_DATA"`
	TrustedProxies []string      `help:"Addresses or networks of proxies whose X-Forwarded headers are believed." env:"BACKOFFICE_TRUSTED_PROXIES" placeholder:"CIDR"`
	TLSCert        string        `name:"tls-cert" help:"Certificate chain (PEM), to answer https without a proxy." env:"BACKOFFICE_TLS_CERT" placeholder:"FILE"`
	TLSKey         string        `name:"tls-key" help:"Private key (PEM) of the certificate." env:"BACKOFFICE_TLS_KEY" placeholder:"FILE"`
	AllowHosts     []string      `help:"Hosts or networks of your own that providers may live on. Without it, no private address is ever called." env:"BACKOFFICE_ALLOW_HOSTS" placeholder:"HOST"`
	Connectors     string        `help:"Directory with connector definitions of your own (YAML)." env:"BACKOFFICE_CONNECTORS" placeholder:"DIR"`
	Environment    string        `help:"Name of this environment, shown on every page." default:"production" env:"BACKOFFICE_ENVIRONMENT"`
	Approval       string        `help:"What a version needs before it is put in force, unless its entry says otherwise: none, person (a second person's approval), test (a good test), or both." default:"none" env:"BACKOFFICE_APPROVAL"`
	Radar          string        `help:"Whether each entry in force is asked once a day, unattended, whether its provider still takes it: daily or off." default:"daily" env:"BACKOFFICE_RADAR"`
	SecondFactor   string        `help:"Who has to have a second factor: reveal (whose role may reveal secrets), all, or off." default:"reveal" env:"BACKOFFICE_SECOND_FACTOR"`
	ConfirmAfter   time.Duration `help:"How long a password counts for what asks for it again: reveals, exports, changes of people." default:"5m" env:"BACKOFFICE_CONFIRM_AFTER"`
	MetricsToken   keyText       `help:"Bearer token that /metrics asks for. Without it there are no metrics. Set it in the environment: other users of this machine can see flags." env:"BACKOFFICE_METRICS_TOKEN" placeholder:"TOKEN"`
	WebhookKeep    int           `help:"Notifications of a provider that are kept of each entry. A fifth as many refused and repeated ones are kept beside them." default:"1000" env:"BACKOFFICE_WEBHOOK_KEEP"`
	WebhookDays    int           `help:"Days for which notifications are kept." default:"30" env:"BACKOFFICE_WEBHOOK_DAYS"`
	WebhookBytes   int64         `help:"Bytes of the bodies of notifications that are kept of each entry. A fifth as many of refused and repeated ones are kept beside them." default:"33554432" env:"BACKOFFICE_WEBHOOK_BYTES"`
	WebhookRate    int           `help:"Notifications a second that one source may send. It may be twice as many at once." default:"300" env:"BACKOFFICE_WEBHOOK_RATE"`
	AnchorFile     string        `name:"audit-anchor-file" help:"File to which each signed head of the audit log is appended: on another mount, that this machine cannot rewrite." env:"BACKOFFICE_AUDIT_ANCHOR_FILE" placeholder:"FILE"`
	AnchorURL      keyText       `name:"audit-anchor-url" help:"Address to which each signed head of the audit log is posted. A private one has to be in --allow-hosts, too. Set it in the environment if it holds a token." env:"BACKOFFICE_AUDIT_ANCHOR_URL" placeholder:"URL"`
	AuditShip      string        `help:"Where each audit event is copied as a line of JSON: stdout, or a file. Without it, nowhere." env:"BACKOFFICE_AUDIT_SHIP" placeholder:"stdout|FILE"`
	AuditKeepDays  int           `help:"Days for which audit events stay in the data file. Older ones move into files in --audit-archive. 0: all stay." default:"0" env:"BACKOFFICE_AUDIT_KEEP_DAYS"`
	AuditArchive   string        `help:"Directory of the archive files of old audit events." env:"BACKOFFICE_AUDIT_ARCHIVE" placeholder:"DIR"`
	BackupDir      string        `help:"Directory into which backups are made: best on another disk. It has to be there." env:"BACKOFFICE_BACKUP_DIR" placeholder:"DIR"`
	BackupEvery    time.Duration `help:"How often a backup is made by itself, with --backup-dir. 0: never." default:"24h" env:"BACKOFFICE_BACKUP_EVERY"`
	BackupKeep     int           `help:"Backups that are kept in --backup-dir. Older ones of this installation are removed after a new good one." default:"7" env:"BACKOFFICE_BACKUP_KEEP"`
	Recipient      []string      `name:"backup-recipient" sep:"none" help:"Public key of age (age1…) that backups are encrypted to. Can be given more than once; in the environment, separated by spaces." env:"BACKOFFICE_BACKUP_RECIPIENT" placeholder:"AGE1…"`
	LogFormat      string        `help:"Form of the log on standard error: text or json." default:"text" env:"BACKOFFICE_LOG_FORMAT"`

	keySettings

	ready func(net.Addr) // tests listen on port 0 and learn the address here
}

// dataName is the data file in its directory.
const dataName = "backoffice.db"

// minMetricsToken is the least length of the metrics token.
const minMetricsToken = 20

// maxConfirmAfter is the longest that a password may count.
const maxConfirmAfter = 15 * time.Minute

// keyText is a key or a token given in the environment.
type keyText struct{ secret.Text }

// UnmarshalText takes custody of the key.
func (k *keyText) UnmarshalText(b []byte) error {
	k.Text = secret.NewText(string(b))
	return nil
}

// checked are settings that hold together, read into what the rooms take.
type checked struct {
	settings
	public   *url.URL
	proxies  []netip.Prefix
	cert     *tls.Certificate // nil: answer http
	dataFile string
	anchors  *url.URL // where heads are posted; nil: nowhere

	recipients backup.Recipients
	keys       *keeper.Keeper
}

// check reads the settings and reports every fault at once, each with its
// remedy.
func (s settings) check() (checked, error) {
	c := checked{settings: s}
	var faults []error
	add := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	var err error
	c.public, err = publicURL(s.PublicURL)
	add(err)
	c.proxies, err = prefixes(s.TrustedProxies)
	add(err)
	c.cert, err = certificate(s.TLSCert, s.TLSKey)
	add(err)
	add(listenAddress(s.Addr))
	if !slices.Contains([]string{"text", "json"}, s.LogFormat) {
		add(fmt.Errorf("--log-format is %q. Use text or json", s.LogFormat))
	}
	if s.Approval != "" {
		if _, err := config.ParseRule(s.Approval); err != nil {
			add(fmt.Errorf("--approval is %q. Use none, person, test or both", s.Approval))
		}
	}
	if s.Radar != "daily" && s.Radar != "off" {
		add(fmt.Errorf("--radar is %q. Use daily or off", s.Radar))
	}
	if !slices.Contains([]string{"", "reveal", "all", "off"}, s.SecondFactor) {
		add(fmt.Errorf("--second-factor is %q. Use reveal, all or off", s.SecondFactor))
	}
	if s.ConfirmAfter < 0 || s.ConfirmAfter > maxConfirmAfter {
		add(fmt.Errorf("--confirm-after is %s. Use a time up to %s, such as 5m", s.ConfirmAfter, maxConfirmAfter))
	}
	if n := s.MetricsToken.Len(); n > 0 && n < minMetricsToken {
		add(fmt.Errorf("--metrics-token has %d characters, which can be guessed. Use at least %d: openssl rand -hex 32 makes one", n, minMetricsToken))
	}
	add(between("--webhook-keep", int64(s.WebhookKeep), 10, 100_000))
	add(between("--webhook-days", int64(s.WebhookDays), 1, 3650))
	add(between("--webhook-bytes", s.WebhookBytes, 5<<20, 10<<30))
	add(between("--webhook-rate", int64(s.WebhookRate), 1, 1_000_000))
	add(between("--audit-keep-days", int64(s.AuditKeepDays), 0, 36_500))
	add(archiveDir(s))
	c.recipients, err = recipientsOf(s.Recipient)
	add(err)
	add(backupTimes(s))
	if s.Environment == "" || len(s.Environment) > 30 || strings.TrimSpace(s.Environment) != s.Environment {
		add(errors.New("--environment is empty, too long for a badge, or has spaces around it. Use a word such as production or staging"))
	}
	if _, err := egress.New(egress.Options{Allow: s.AllowHosts}); err != nil {
		add(fmt.Errorf("--allow-hosts: %w", err))
	}
	c.anchors, err = anchorAddress(s.AnchorURL.Reveal())
	add(err)
	if s.Data == "" {
		add(errors.New("--data is empty. Name a directory that only this program's user may read"))
	}
	if s.Connectors != "" {
		if fi, err := os.Stat(s.Connectors); err != nil || !fi.IsDir() {
			add(fmt.Errorf("--connectors is %q, which is no directory. Make it, or leave the setting out", s.Connectors))
		}
	}
	c.dataFile = filepath.Join(s.Data, dataName)
	c.keys, err = c.keySettings.keeper(s.Data)
	add(err)
	faults = append(faults, auditFiles(c.settings)...)
	return c, faultList(faults)
}

// between refuses a number that is out of its range.
func between(name string, n, least, most int64) error {
	if n < least || n > most {
		return fmt.Errorf("%s is %d. Use a number from %d to %d", name, n, least, most)
	}
	return nil
}

// faultList is one error with a line for each fault.
func faultList(faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	text := "the settings have " + map[bool]string{true: "a fault", false: fmt.Sprintf("%d faults", len(faults))}[len(faults) == 1] + ":"
	for _, f := range faults {
		text += "\n  - " + f.Error() + "."
	}
	return errors.New(text)
}

// publicURL reads an origin. Only a loopback host may be without https:
// anywhere else, passwords and secrets would travel in clear.
func publicURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, errors.New("--public-url is not set. Set it to the address that browsers use, as https://backoffice.example.com")
	}
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("--public-url is %q, which is no web address. Write it as https://backoffice.example.com", s)
	case u.User != nil, u.RawQuery != "", u.Fragment != "", u.Path != "" && u.Path != "/":
		return nil, fmt.Errorf("--public-url is %q. Leave out everything after the host: the program answers at the root of its own host", s)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("--public-url is %q, which is not encrypted. Use https, with --tls-cert and --tls-key or behind a proxy; plain http is for localhost only", s)
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// prefixes reads addresses and networks.
func prefixes(list []string) (out []netip.Prefix, err error) {
	var faults []error
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if addr, addrErr := netip.ParseAddr(s); addrErr == nil {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("--trusted-proxies has %q, which is no address and no network. Write it as 10.0.0.7 or 10.0.0.0/8", s))
			continue
		}
		out = append(out, p)
	}
	return out, errors.Join(faults...)
}

func certificate(cert, key string) (*tls.Certificate, error) {
	if cert == "" && key == "" {
		return nil, nil
	}
	if cert == "" || key == "" {
		return nil, errors.New("--tls-cert and --tls-key belong together. Set both, or neither behind a proxy")
	}
	c, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key cannot be used: %w. Check that both files can be read, are PEM, and belong together", err)
	}
	return &c, nil
}

func listenAddress(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("--addr is %q, which is no address to listen on. Write it as 127.0.0.1:8080, or :8080 for all of this machine's addresses", s)
	}
	return nil
}
