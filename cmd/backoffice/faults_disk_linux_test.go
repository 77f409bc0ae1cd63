package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/store"
)

// patient is how long a program may take to notice what changed: it looks every two
// seconds.
const patient = 30 * time.Second

// A patientProgram runs over data that a test breaks.
type patientProgram struct {
	*trial
	cmd *exec.Cmd
	log *buffer
}

// ward starts the program over data in dir, with an owner who is signed in and an
// entry load-0:intercom of one version.
func ward(t *testing.T, dir string) *patientProgram {
	t.Helper()
	p := &patientProgram{trial: newTrial(t, rand.New(rand.NewPCG(1, 1)))}
	if dir != "" {
		for _, name := range []string{"backoffice.db", "backoffice.key"} {
			copyFile(t, filepath.Join(p.dir, name), filepath.Join(dir, name))
		}
		p.dir = dir
	}
	p.run(t)
	if status, _ := p.save(t, "first"); status != http.StatusSeeOther {
		t.Fatalf("saving answers %d", status)
	}
	return p
}

func (p *patientProgram) run(t *testing.T) {
	t.Helper()
	p.start(t)
	p.ready(t)
}

// start is run over data with which it may not be ready.
func (p *patientProgram) start(t *testing.T) {
	t.Helper()
	p.log = &buffer{}
	p.killed.log = p.log
	p.cmd, p.load.base = p.program(t, "--second-factor", "off", "--radar", "off")
}

// stop ends the program as an operator does.
func (p *patientProgram) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait()
}

// save saves a version of the entry and returns the answer.
func (p *patientProgram) save(t *testing.T, client string) (int, string) {
	t.Helper()
	m := p.editors[0].m
	a := act{action: audit.EntrySaved, version: m.next, client: client, tag: client}
	if !m.there {
		a.action = audit.EntryCreated
	}
	path, form := m.form(a)
	res, err := p.load.owner.PostForm(p.load.base+path, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode == http.StatusSeeOther {
		m.after(a)
	}
	return res.StatusCode, string(b)
}

// page asks for a page as the owner.
func (p *patientProgram) page(t *testing.T, path string) (int, string) {
	t.Helper()
	res, err := p.load.owner.Get(p.load.base + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// until waits for /readyz to answer with words, or with "ready".
func (p *patientProgram) until(t *testing.T, words string) {
	t.Helper()
	var status int
	var body string
	for began := time.Now(); time.Since(began) < patient; time.Sleep(50 * time.Millisecond) {
		if status, body = get(t, p.load.base+"/readyz"); strings.Contains(body, words) && (status == http.StatusOK) == (words == "ready\n") {
			return
		}
	}
	t.Fatalf("/readyz says %d %q, want %q; the log:\n%s", status, body, words, p.log.String())
}

// logged waits for words in the log.
func (p *patientProgram) logged(t *testing.T, words string) {
	t.Helper()
	for began := time.Now(); !strings.Contains(p.log.String(), words); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patient {
			t.Fatalf("the log lacks %q:\n%s", words, p.log.String())
		}
	}
}

// reads fails the test unless pages are shown and the process is well.
func (p *patientProgram) reads(t *testing.T, words ...string) {
	t.Helper()
	for _, path := range []string{"/config", "/config/load-0:intercom", "/settings"} {
		status, body := p.page(t, path)
		if status != http.StatusOK {
			t.Errorf("%s answers %d", path, status)
		}
		for _, w := range words {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %q", path, w)
			}
		}
	}
	if status, _ := get(t, p.load.base+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz answers %d", status)
	}
}

// refused fails the test unless saving is refused with the words, and keeps what was
// typed, and a provider is told to send again.
func (p *patientProgram) refused(t *testing.T, words string) {
	t.Helper()
	status, body := p.save(t, "typed-by-hand")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, words) || !strings.Contains(body, "typed-by-hand") || !strings.Contains(body, "reload this page") {
		t.Errorf("saving answers %d; the page has %v, what was typed %v", status, strings.Contains(body, words), strings.Contains(body, "typed-by-hand"))
	}
	if status, err := signedPost(p.load.base+"/webhooks/intercom", fmt.Sprintf(`{"id":"%d","topic":"ping"}`, time.Now().UnixNano())); err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("a notification is answered with %d, %v", status, err)
	}
}

// recovered fails the test unless all is well again.
func (p *patientProgram) recovered(t *testing.T) {
	t.Helper()
	p.until(t, "ready\n")
	if status, body := p.save(t, "afterwards"); status != http.StatusSeeOther {
		t.Errorf("afterwards, saving answers %d: %.300s", status, body)
	}
	if _, body := p.page(t, "/config"); strings.Contains(body, "reading goes on") {
		t.Error("afterwards, a page still tells of the trouble")
	}
}

// sane stops the program and checks its file.
func (p *patientProgram) sane(t *testing.T) {
	t.Helper()
	p.stop(t)
	p.check(t, 0)
}

const fullWords = "The disk that holds the data is full: changes may not be saved, and reading goes on."

// A full disk refuses what cannot be saved, and is used again when there is room.
func TestFaultFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("no small tmpfs can be mounted by this user (%v): run it as root, or in \"unshare -rm\". TestFaultFileTooLarge has a stand-in", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	p := ward(t, dir)
	ballast := fill(t, dir)
	p.fillFile(t)
	p.until(t, fullWords)
	p.logged(t, "ALARM: "+fullWords)
	p.reads(t, fullWords)
	status, err := signedPost(p.load.base+"/webhooks/intercom", fmt.Sprintf(`{"id":"large","text":%q}`, strings.Repeat("x", 200_000)))
	if err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("a large notification is answered with %d, %v", status, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	p.recovered(t)
	p.logged(t, "the data file can be written to again")
	p.sane(t)
}

// fillFile sends notifications until what is free in the data file itself is used up,
// too.
func (p *patientProgram) fillFile(t *testing.T) {
	t.Helper()
	refused := 0
	for n := 0; refused < 10; n++ {
		status, err := signedPost(p.load.base+"/webhooks/intercom", fmt.Sprintf(`{"id":"fill-%d","text":%q}`, n, strings.Repeat("x", 200_000)))
		if err != nil || n > 500 {
			t.Fatalf("the disk does not become full: %d, %v", status, err)
		}
		if refused++; status == http.StatusOK {
			refused = 0
		}
	}
}

// fill leaves no room in the file system of dir.
func fill(t *testing.T, dir string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); ; {
		if _, err := f.Write(block); err != nil {
			return ballast
		}
	}
}

// Where the file may not grow any more, by a limit of the process, it is as with a
// full disk. This needs no rights.
func TestFaultFileTooLarge(t *testing.T) {
	p := ward(t, "")
	info, err := os.Stat(filepath.Join(p.dir, "backoffice.db"))
	if err != nil {
		t.Fatal(err)
	}
	limit(t, p.cmd.Process.Pid, uint64(info.Size()))
	p.fillFile(t)
	p.until(t, fullWords)
	p.reads(t, fullWords)
	limit(t, p.cmd.Process.Pid, ^uint64(0))
	p.recovered(t)
	p.sane(t)
}

// A data file that becomes read-only while the program runs is read on.
func TestFaultReadOnly(t *testing.T) {
	p := ward(t, "")
	file := filepath.Join(p.dir, "backoffice.db")
	immutable := func(on string) error { return exec.Command("chattr", on+"i", file).Run() }
	if err := immutable("+"); err != nil {
		t.Skipf("a file cannot be made immutable here (chattr +i: %v): run it as root on ext4", err)
	}
	t.Cleanup(func() { _ = immutable("-") })
	const words = "The data file cannot be written to: nothing can be saved, and reading goes on."
	p.refused(t, "The data file cannot be written to. Make its directory writable again and try again.")
	p.until(t, words)
	p.reads(t, words)
	if err := immutable("-"); err != nil {
		t.Fatal(err)
	}
	p.recovered(t)
	p.sane(t)
}

// Over a read-only directory the program does not start, says why, and leaves
// everything as it was.
func TestFaultReadOnlyAtStart(t *testing.T) {
	p := ward(t, "")
	p.stop(t)
	dir := t.TempDir()
	if err := syscall.Mount(p.dir, dir, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("nothing can be mounted by this user (%v): run it as root, or in \"unshare -rm\"", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	if err := syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	p.dir = dir
	p.startFails(t, "this process may not read and write it. Correct the owner and permissions of the file and its directory.")
	if err := syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	p.run(t)
	p.recovered(t)
	p.sane(t)
}

// startFails starts the program, which has to end with the words.
func (p *patientProgram) startFails(t *testing.T, words ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	cmd := exec.CommandContext(ctx, "backoffice", "serve", "--addr", "127.0.0.1:0", "--public-url", "http://localhost:8080", "--data", p.dir)
	out, err := cmd.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Errorf("it starts: %s", out)
	}
	for _, w := range words {
		if !strings.Contains(string(out), w) {
			t.Errorf("it says %q, want %q", out, w)
		}
	}
}

const damagedWords = "A part of the data file is damaged: nothing is saved any more, and what can be read is read."

// A data file that is cut while the program runs is read as far as it goes, and
// nothing more is written into it; at a start it is refused.
func TestFaultTruncated(t *testing.T) {
	p := ward(t, "")
	file := filepath.Join(p.dir, "backoffice.db")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	size := used(t, p.dir)
	if err := os.Truncate(file, size-4096); err != nil {
		t.Fatal(err)
	}
	p.until(t, damagedWords)
	status, _ := p.save(t, "typed-by-hand")
	if status != http.StatusServiceUnavailable {
		t.Errorf("saving answers %d", status)
	}
	if status, _ := get(t, p.load.base+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz answers %d", status)
	}
	if err := os.Truncate(file, 0); err != nil { // nothing is left
		t.Fatal(err)
	}
	for _, path := range []string{"/config", "/config/load-0:intercom", "/login"} {
		if status, body := p.page(t, path); status != http.StatusServiceUnavailable || !strings.Contains(body, "restore the file from a backup") {
			t.Errorf("with nothing left, %s answers %d: %.300s", path, status, body)
		}
	}
	if status, _ := get(t, p.load.base+"/healthz"); status != http.StatusOK {
		t.Errorf("with nothing left, /healthz answers %d", status)
	}
	p.stop(t)
	for left, words := range map[int64]string{
		size - 4096: "is damaged: parts of it are missing or unreadable. Nothing was changed. Restore it from a backup.",
		size / 2:    "is damaged: parts of it are missing or unreadable. Nothing was changed. Restore it from a backup.",
		8192:        "is damaged: parts of it are missing or unreadable.",
		100:         "or its beginning is lost. Nothing was changed.",
	} {
		if err := os.WriteFile(file, whole[:left], 0o600); err != nil {
			t.Fatal(err)
		}
		p.startFails(t, words)
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(t)
	p.recovered(t)
	p.sane(t)
}

// used is how much of the data file is in use: the rest was set aside.
func used(t *testing.T, dir string) int64 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "backoffice.db"))
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(bytes.TrimRight(b, "\x00"))+4095) / 4096 * 4096
}

// An overwritten page is found, whether somebody asks for it or not: at the next
// start and each day the whole file is read.
func TestFaultPageOverwritten(t *testing.T) {
	p := ward(t, "")
	for n := range 30 { // so that the data have pages of their own
		p.save(t, fmt.Sprintf("client-%d", n))
	}
	p.stop(t)
	file := filepath.Join(p.dir, "backoffice.db")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := leafWith(t, whole, "config/version/load-0:intercom/0000015")
	overwrite := func(with []byte) {
		f, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteAt(with, int64(at))
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	junk := bytes.Repeat([]byte{0xa5}, 4096)
	overwrite(junk)
	p.start(t)
	p.until(t, damagedWords) // nobody asked for the page
	p.logged(t, "ALARM: "+damagedWords)
	if status, body := p.page(t, "/config/load-0:intercom/history"); status != http.StatusServiceUnavailable || !strings.Contains(body, "what you asked for is in it") {
		t.Errorf("the page of what is damaged answers %d", status)
	}
	if status, _ := p.page(t, "/settings"); status != http.StatusOK {
		t.Errorf("another page answers %d", status)
	}
	if status, _ := p.page(t, "/config/load-0:intercom/history"); status != http.StatusServiceUnavailable {
		t.Errorf("asked again, it answers %d", status)
	}
	p.stop(t)
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(t)
	overwrite(junk) // while it runs
	if status, _ := p.page(t, "/config/load-0:intercom/history"); status != http.StatusServiceUnavailable {
		t.Errorf("overwritten meanwhile, it answers %d", status)
	}
	p.until(t, damagedWords)
	if status, _ := p.save(t, "typed"); status != http.StatusServiceUnavailable {
		t.Errorf("saving answers %d", status)
	}
	p.stop(t)
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(t)
	p.recovered(t)
	p.sane(t)
}

// leafWith is where the last page is that has a key and its value, and leads to no
// other page.
func leafWith(t *testing.T, content []byte, key string) int {
	t.Helper()
	const flags, leaf = 8, 2 // of the head of a page
	for end := len(content); ; {
		i := bytes.LastIndex(content[:end], []byte(key))
		if i < 0 {
			t.Fatalf("no page has %s", key)
		}
		if at := i / 4096 * 4096; content[at+flags] == leaf {
			return at
		}
		end = i
	}
}

// A byte inside of a value is found by what the values are: the log is a tree of
// hashes, and sealed values open only as they were sealed.
func TestFaultByteInsideAnEvent(t *testing.T) {
	p := ward(t, "")
	p.stop(t)
	p.open(t)
	err := p.db.Update(t.Context(), func(tx store.Tx) error {
		b, err := tx.Get("audit/event/0000000000000000")
		if err == nil {
			b[len(b)/2] ^= 1
			tx.Put("audit/event/0000000000000000", b)
		}
		return err
	})
	p.close(t)
	if err != nil {
		t.Fatal(err)
	}
	p.run(t)
	p.logged(t, "ALARM: the audit log was changed after it was written")
}

// Without its key the program does not start, and never makes another; a key that
// goes away while it runs is missed before the next start.
func TestFaultKeyFile(t *testing.T) {
	p := ward(t, "")
	file := filepath.Join(p.dir, "backoffice.key")
	key, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	told := func(words string) {
		t.Helper()
		for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			_, body := p.page(t, "/settings")
			if (words == "" && !strings.Contains(body, "The key file ")) || words != "" && strings.Contains(body, words) && strings.Contains(p.log.String(), words) {
				return
			}
			if time.Since(began) > patient {
				t.Fatalf("the settings do not say %q", words)
			}
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	told("The key file is not where it was.")
	if status, _ := p.save(t, "without-the-file"); status != http.StatusSeeOther {
		t.Errorf("with the key in memory, saving answers %d", status)
	}
	p.until(t, "ready\n")
	if err := os.WriteFile(file, key, 0o644); err != nil {
		t.Fatal(err)
	}
	told("The key file may be read by others.")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	told("")
	p.stop(t)
	for _, tt := range []struct {
		name  string
		spoil func() error
		words []string
	}{
		{"missing", func() error { return os.Remove(file) }, []string{"the key file " + file + " is missing.", "only that key opens it. Put back your copy of the key file; a new key would not help"}},
		{"too open", func() error { return os.WriteFile(file, key, 0o640) }, []string{"may be read by others (mode 0640). Run: chmod 600 " + file}},
		{"no file", func() error { return os.Mkdir(file, 0o700) }, []string{"the key file " + file + " cannot be read"}},
		{"empty", func() error { return os.WriteFile(file, nil, 0o600) }, []string{"the key file " + file + " cannot be used", "Put back your copy of it"}},
	} {
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
		if err := tt.spoil(); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		p.startFails(t, tt.words...)
		if info, err := os.Stat(file); tt.name == "missing" && err == nil {
			t.Errorf("a new key was made: %v", info.Size())
		}
	}
	_ = os.RemoveAll(file)
	if err := os.WriteFile(file, key, 0o600); err != nil {
		t.Fatal(err)
	}
	p.unreadable(t, file)
	p.run(t)
	p.recovered(t)
	p.sane(t)
}

// unreadable starts the program as somebody who may not read the key file.
func (p *patientProgram) unreadable(t *testing.T, file string) {
	t.Helper()
	if os.Getuid() != 0 {
		if err := os.Chmod(file, 0o200); err != nil {
			t.Fatal(err)
		}
		p.startFails(t, "the key file "+file+" cannot be read", "Give it to the user that runs this program")
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("/tmp", "faults") // where others may go
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	copyFile(t, filepath.Join(p.dir, "backoffice.db"), filepath.Join(dir, "backoffice.db"))
	copyFile(t, file, filepath.Join(dir, "backoffice.key"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "backoffice") // by its name it knows that it is the program
	b, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(binary, b, 0o755)
	}
	for _, name := range []string{dir, filepath.Join(dir, "backoffice.db")} {
		if err == nil {
			err = os.Chown(name, nobody, nobody)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "serve", "--addr", "127.0.0.1:0", "--public-url", "http://localhost:8080", "--data", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "cannot be read") || !strings.Contains(string(out), "Give it to the user that runs this program") {
		t.Errorf("with a key that it may not read it says %v, %q", err, out)
	}
}

// A clock that went back while the program was stopped is told: in the log, in the
// audit log, and to who looks after the instance.
func TestFaultClock(t *testing.T) {
	p := ward(t, "")
	p.stop(t)
	p.open(t)
	ahead := audit.Event{Time: time.Now().Add(time.Hour), Actor: audit.Actor{Name: "owner@acme.example"}, Action: audit.LogChecked, Outcome: audit.Done}
	err := audit.Record(t.Context(), p.db, ahead)
	p.close(t)
	if err != nil {
		t.Fatal(err)
	}
	p.run(t)
	p.logged(t, "the clock of this machine went back")
	p.until(t, "ready\n")
	told := func(path, words string) {
		t.Helper()
		for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			if _, body := p.page(t, path); strings.Contains(body, words) {
				return
			}
			if time.Since(began) > patient {
				t.Fatalf("%s does not say %q", path, words)
			}
		}
	}
	told("/settings", "The clock of this machine went back by ")
	told("/audit?action=clock.back", "Went back")
	p.recovered(t)
	p.sane(t)
}
