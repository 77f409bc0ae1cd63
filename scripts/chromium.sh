#!/usr/bin/env bash
# Finds a Chromium for the browser tests, and installs Debian's if there is none
# and the user may.
set -euo pipefail
for name in "${BACKOFFICE_CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then
    exit 0
  fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "No Chromium found: installing Debian's"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
  command -v chromium >/dev/null && exit 0
fi
cat >&2 <<'TXT'
The browser tests need Chromium, and there is none. Install it, on Debian or Ubuntu:
  sudo apt-get install chromium
or set BACKOFFICE_CHROMIUM to the path of one.
TXT
exit 1
