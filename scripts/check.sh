#!/usr/bin/env bash
# What must hold before any test runs: generated code is current, everything is
# formatted, vet and staticcheck are quiet.
set -euo pipefail
go=${GO:-go}

# Generated into a copy, so that the check changes nothing.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp web/templates/*.templ "$copy/"
"$go" tool templ generate -path "$copy" >/dev/null 2>&1 || { echo "check: the templates do not compile: run make generate" >&2; exit 1; }
for f in "$copy"/*_templ.go; do
  name=web/templates/$(basename "$f")
  # templ writes the path of the file into the code; only the rest matters.
  if ! diff -q <(sed 's#FileName: `[^`]*`#FileName#' "$f") <(sed 's#FileName: `[^`]*`#FileName#' "$name" 2>/dev/null) >/dev/null; then
    echo "check: $name is not current: run make generate" >&2
    exit 1
  fi
done

unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
  printf 'check: not formatted, run gofmt -w:\n%s\n' "$unformatted" >&2
  exit 1
fi
"$go" vet ./...
"$go" vet -tags bench ./e2e/bench
"$go" tool staticcheck ./...
echo "check: generated code, format, vet and staticcheck are fine"
