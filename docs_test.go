package backoffice_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quotedTest = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Za-z0-9_]+)`")
	testFunc   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Za-z0-9_]+)\(`)
)

// What documents say is held by a test is held by one that is there.
func TestDocumentedTestsExist(t *testing.T) {
	there := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllSubmatch(source, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(there) < 500 {
		t.Fatalf("%d tests found: %v", len(there), err)
	}
	for path, least := range map[string]int{"docs/security.md": 40, "docs/asvs.md": 100, "ARCHITECTURE.md": 30} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		quoted := quotedTest.FindAllSubmatch(text, -1)
		if len(quoted) < least {
			t.Errorf("%s quotes %d tests, which is fewer than %d", path, len(quoted), least)
		}
		for _, m := range quoted {
			if !there[string(m[1])] {
				t.Errorf("%s says that something is held by %s, which is not there", path, m[1])
			}
		}
	}
}

// Each requirement is judged once, and in a word that the document explains.
func TestASVSIsJudged(t *testing.T) {
	text, err := os.ReadFile("docs/asvs.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| (\d+\.[\d., ]*\d) \|([\d, ]*)\| [^|]+ \| (yes|part|no|op|–) \| ?([^|]*) ?\|$`)
	rows := row.FindAllStringSubmatch(string(text), -1)
	if all := regexp.MustCompile(`(?m)^\| \d.*$`).FindAllString(string(text), -1); len(rows) != len(all) {
		for _, line := range all {
			if !row.MatchString(line) {
				t.Errorf("not a row: %s", line)
			}
		}
	}
	seen := map[string]bool{}
	for _, r := range rows {
		for _, n := range strings.Split(r[1], ", ") {
			if seen[n] {
				t.Errorf("%s is judged twice", n)
			}
			seen[n] = true
		}
		if r[3] == "yes" && strings.TrimSpace(r[4]) == "" && !strings.Contains(r[0], "No e-mail as a factor") && !strings.Contains(r[0], "No secret questions") {
			t.Errorf("%s is met by nothing: %s", r[1], r[0])
		}
	}
	if len(seen) < 200 {
		t.Errorf("%d requirements are judged", len(seen))
	}
}
