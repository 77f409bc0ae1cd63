#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time.
set -euo pipefail
go=${GO:-go}
time=${1:-10s}
count=0
while IFS=: read -r file name; do
  dir=./$(dirname "$file")
  echo "== $dir $name"
  # Without a bound, shortening what it found takes up most of a short run.
  "$go" test "$dir" -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 20x
  count=$((count + 1))
done < <(git ls-files -co --exclude-standard '*_test.go' | xargs grep -hoH '^func Fuzz[A-Za-z0-9_]*' | sed 's/func //')
echo "$count fuzz targets, $time each: nothing found"
