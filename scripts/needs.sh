#!/usr/bin/env bash
# What the tests need beside Go and git: a C compiler for the race detector, and
# a Chromium for the browser tests. What is missing is installed from Debian's
# packages where the user may; otherwise this says what to install, and fails.
#
#   scripts/needs.sh [gcc] [chromium]
set -euo pipefail

found() {
  for name in "$@"; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

missing=()
for need in "$@"; do
  case $need in
    gcc) found "${CC:-}" gcc cc clang || missing+=(gcc libc6-dev) ;;
    chromium) found "${BACKOFFICE_CHROMIUM:-}" chromium chromium-browser google-chrome || missing+=(chromium fonts-dejavu-core) ;;
    *) echo "needs: what is $need?" >&2; exit 2 ;;
  esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && found apt-get; then
  echo "Installing ${missing[*]} from Debian's packages"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  exit 0
fi
cat >&2 <<TXT
The tests need ${missing[*]}. On Debian or Ubuntu:
  sudo apt-get install ${missing[*]}
Another Chromium is named by BACKOFFICE_CHROMIUM, another C compiler by CC.
TXT
exit 1
