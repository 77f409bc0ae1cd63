package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the examples for operators set exists: each variable of the environment, and
// each flag of "serve" that the page about operating names.
func TestDeployFilesSetWhatExists(t *testing.T) {
	var help bytes.Buffer
	if code := mainWith(t.Context(), []string{"serve", "--help"}, console{&help, &help}); code != 0 {
		t.Fatalf("serve --help ends with %d", code)
	}
	files, err := filepath.Glob("../../deploy/*")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files to deploy with, %v", len(files), err)
	}
	found := 0
	for _, file := range append(files, "../../docs/operate.md") {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`BACKOFFICE_[A-Z_]+`).FindAllString(string(b), -1) {
			found++
			if !strings.Contains(help.String(), "$"+name+")") {
				t.Errorf("%s sets %s, which is no setting", file, name)
			}
		}
	}
	page, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("`(--[a-z-]+)`").FindAllStringSubmatch(string(page), -1) {
		found++
		if !strings.Contains(help.String(), m[1]) {
			t.Errorf("docs/operate.md names %s, which is no flag", m[1])
		}
	}
	if found < 15 {
		t.Errorf("%d names were looked at: does this test still read the files?", found)
	}
}
