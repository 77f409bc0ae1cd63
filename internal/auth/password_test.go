package auth

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"backoffice/internal/errs"
	"backoffice/internal/secret"
)

func TestPasswordPolicy(t *testing.T) {
	const email = "a.very.long.name@acme.example"
	for name, tt := range map[string]struct {
		password, again string
		want            map[string]string // part of the message, by field
	}{
		"good":             {"twelve chars", "twelve chars", nil},
		"eleven":           {"eleven char", "eleven char", map[string]string{"password": "at least 12"}},
		"twelve runes":     {"äöüäöüäöüäöü", "äöüäöüäöüäöü", nil},
		"eleven runes":     {"äöüäöüäöüäö", "äöüäöüäöüäö", map[string]string{"password": "at least 12"}},
		"decomposed":       {strings.Repeat("a\u0308o\u0308", 5), strings.Repeat("äö", 5), map[string]string{"password": "at least 12"}},
		"equal in NFC":     {"caf\u0065\u0301 au lait", "caf\u00e9 au lait", nil},
		"composed first":   {"caf\u00e9 au lait", "caf\u0065\u0301 au lait", nil},
		"at most":          {strings.Repeat("ab", 512), strings.Repeat("ab", 512), nil},
		"too long":         {strings.Repeat("ab", 512) + "a", strings.Repeat("ab", 512) + "a", map[string]string{"password": "at most 1024 bytes"}},
		"empty":            {"", "", map[string]string{"password": "Choose"}},
		"empty and differ": {"", "x", map[string]string{"password": "Choose", "password2": "differ"}},
		"differ":           {"twelve chars", "twelve Chars", map[string]string{"password2": "differ"}},
		"e-mail":           {email, email, map[string]string{"password": "e-mail address is no password"}},
		"E-Mail":           {" A.very.long.name@ACME.example", " A.very.long.name@ACME.example", map[string]string{"password": "e-mail address is no password"}},
		"repeated":         {"aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", map[string]string{"password": "repeated"}},
		"repeated rune":    {"éééééééééééééé", "éééééééééééééé", map[string]string{"password": "repeated"}},
		"almost repeated":  {"aaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaab", nil},
		"common":           {"zaq12wsxcde3", "zaq12wsxcde3", map[string]string{"password": "most common"}},
		"Common":           {"PasswordPassword", "PasswordPassword", map[string]string{"password": "most common"}},
		"no text":          {"twelve chars\xff", "twelve chars\xff", map[string]string{"password": "no characters"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkNewPassword(email, secret.NewText(tt.password), secret.NewText(tt.again))
			got := errs.Fields(err)
			if len(got) != len(tt.want) || (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("fields %v, want %v", got, tt.want)
			}
			for field, part := range maps.All(tt.want) {
				if !strings.Contains(got[field], part) {
					t.Errorf("%s: %q, want %q in it", field, got[field], part)
				}
			}
		})
	}
}

// The list is looked through by halves, so it has to be in order; and what cannot
// be chosen anyway would only take room.
func TestCommonPasswords(t *testing.T) {
	if len(common) != 308 || !slices.IsSorted(common) {
		t.Errorf("%d common passwords, sorted %v", len(common), slices.IsSorted(common))
	}
	for _, p := range common {
		if !isCommon(strings.ToUpper(p)) || len(p) < minPassword || p != strings.ToLower(p) {
			t.Errorf("%q", p)
		}
	}
}

func TestRealCost(t *testing.T) {
	s := New(Options{})
	stored, err := s.hasher.hash(t.Context(), secret.NewText(password))
	if err != nil || !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("hash = %q, %v", stored, err)
	}
	if s.hasher.dummy.params != owasp {
		t.Errorf("an unknown account costs %+v", s.hasher.dummy.params)
	}
	if right, stale, err := s.hasher.verify(t.Context(), stored, secret.NewText(password)); !right || stale || err != nil {
		t.Errorf("verify = %v, %v, %v", right, stale, err)
	}
}

// The program stays small: the memory of a hash is given back at once.
func TestHashLeavesNoMemory(t *testing.T) {
	h := newHasher(owasp)
	if _, err := h.hash(t.Context(), secret.NewText(password)); err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if held := m.HeapInuse + m.HeapIdle - m.HeapReleased; held > uint64(owasp.memory)<<10 {
		t.Errorf("%d MiB of heap are held after a hash of %d MiB", held>>20, owasp.memory>>10)
	}
}

func TestVerify(t *testing.T) {
	h := newHasher(params{memory: 64, time: 2, threads: 1})
	hash := func(h *hasher, p string) string {
		stored, err := h.hash(t.Context(), secret.NewText(p))
		if err != nil {
			t.Fatal(err)
		}
		return stored
	}
	stored := hash(h, password)
	long := strings.Repeat("ab", 513)
	for name, tt := range map[string]struct {
		stored, password string
		right, stale     bool
	}{
		"right":             {stored, password, true, false},
		"wrong":             {stored, password + " ", false, false},
		"other case":        {stored, strings.ToLower(password), false, false},
		"empty":             {stored, "", false, false},
		"nobody":            {"", password, false, false},
		"nobody, empty":     {"", "", false, false},
		"composed":          {hash(h, "cafe\u0301 au lait"), "café au lait", true, false},
		"too long":          {hash(h, long), long, false, false},
		"less memory":       {hash(newHasher(params{32, 2, 1}), password), password, true, true},
		"fewer passes":      {hash(newHasher(params{64, 1, 1}), password), password, true, true},
		"dearer than today": {hash(newHasher(params{128, 3, 2}), password), password, true, false},
	} {
		right, stale, err := h.verify(t.Context(), tt.stored, secret.NewText(tt.password))
		if right != tt.right || stale != tt.stale || err != nil {
			t.Errorf("%s: %v, %v, %v; want %v, %v", name, right, stale, err, tt.right, tt.stale)
		}
	}
	parsed, err := parsePHC(stored)
	if err != nil {
		t.Fatal(err)
	}
	parsed.salt[0] ^= 1
	if right, _, err := h.verify(t.Context(), parsed.String(), secret.NewText(password)); right || err != nil {
		t.Errorf("with another salt: %v, %v", right, err)
	}
	if hash(h, password) == stored {
		t.Error("two hashes of one password are equal: no salt")
	}
	if right, _, err := h.verify(t.Context(), "plain", secret.NewText("plain")); right || !errors.Is(err, errPHC) {
		t.Errorf("a damaged record: %v, %v", right, err)
	}
}

func TestHashesAreFew(t *testing.T) {
	h := newHasher(params{64, 1, 1})
	if cap(h.slots) != 2 {
		t.Errorf("%d hashes at once, want 2", cap(h.slots))
	}
	h.slots <- struct{}{}
	h.slots <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(ctx, secret.NewText(password)); !errors.Is(err, context.Canceled) {
		t.Errorf("with no slot free and the request gone: %v", err)
	}
	if len(h.queue) != 0 {
		t.Fatal("who left is still in the queue")
	}
	for range hashesQueued {
		h.queue <- struct{}{}
	}
	if _, err := h.hash(t.Context(), secret.NewText(password)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("with a full queue: %v", err)
	}
}

func TestParsePHC(t *testing.T) {
	const good = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"
	if h, err := parsePHC(good); err != nil || h.params != owasp || len(h.salt) != 16 || len(h.key) != 16 {
		t.Fatalf("parsePHC = %+v, %v", h, err)
	}
	for _, r := range []struct{ old, new string }{
		{"argon2id", "argon2i"}, {"v=19", "v=16"}, {"m=19456", "m=0"}, {"m=19456", "m=7"}, {"m=19456", "m=1048577"},
		{"m=19456", "m=019456"}, {"m=19456", "m=+19456"}, {"m=19456", "m=-1"}, {"t=2", "t=0"}, {"t=2", "t=65"}, {"p=1", "p=0"},
		{"p=1", "p=17"}, {"p=1", "p=256"}, {"p=1", "p=1 "}, {"p=1", "p=1,x=2"}, {"$v=19", ""}, {"$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAA$"},
		{"$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAAAAAAAAAAAAAAAAAAAB$"}, {"$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAAAAAAAAAAAAAAAAAA==$"}, {good, ""}, {good, good + "$"},
		{good, good + "\n"},
	} {
		bad := strings.Replace(good, r.old, r.new, 1)
		if _, err := parsePHC(bad); bad == good || !errors.Is(err, errPHC) {
			t.Errorf("parsePHC(%q) = %v", bad, err)
		}
	}
}

func FuzzPHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parsePHC(s)
		if err == nil && (h.String() != s || h.memory > 1<<20 || h.time > 64 || h.threads > 16) {
			t.Errorf("parsePHC(%q) = %+v", s, h)
		}
	})
}
