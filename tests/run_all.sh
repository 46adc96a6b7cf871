#!/usr/bin/env bash
# Everything that is checked before a change lands: lint, types, tests with real servers. Installs what the tests need
# where it may (as root, by apt); elsewhere it says at the end which parts were left out and why.
set -euo pipefail
cd "$(dirname "$0")/.."
left_out=()

need() { # need NAME PROBE PACKAGE...: is it there, or can it be installed?
  local name=$1 probe=$2; shift 2
  if bash -c "$probe" >/dev/null 2>&1; then return; fi
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    if [ -z "${apt_updated:-}" ]; then apt-get update -qq; apt_updated=1; fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || true
    if bash -c "$probe" >/dev/null 2>&1; then return; fi
  fi
  left_out+=("$name (apt-get install $*)")
}

need PostgreSQL 'ls /usr/lib/postgresql/*/bin/initdb' postgresql
need Kannel 'command -v bearerbox && ls /usr/lib/kannel/test/fakesmsc' kannel kannel-extras
need SIPp 'command -v sipp' sip-tester
need Chromium 'command -v chromium' chromium
need "Chinese fonts" 'fc-list :lang=zh-cn | grep -q .' fonts-noto-cjk fontconfig

if [ ! -d channels/web/front/node_modules/htmx.org ]; then left_out+=("front-end packages (make install)"); fi

.venv/bin/ruff check intake channels classifier ivr tests bench
.venv/bin/mypy
status=0
run() { # run MARKERS ARGUMENT...: nothing to run (5) is no failure
  local code=0
  .venv/bin/python -m pytest -q -n 2 --dist loadfile --durations 15 -m "$@" || code=$?
  if [ "$code" != 0 ] && [ "$code" != 5 ]; then status=$code; fi
}
run "not slow and not calls" "$@"
run "not slow and calls" "$@"

if [ ${#left_out[@]} -gt 0 ]; then
  echo
  echo "== Left out, because it could not be installed here =="
  printf '  - %s\n' "${left_out[@]}"
  if [ "${CI:-}" = true ]; then echo "In CI nothing may be left out."; exit 1; fi
fi
exit $status
