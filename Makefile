# make run      start the gateway on http://127.0.0.1:12319 (installs what it needs first)
# make run-phone  the gateway with a telephone exchange (Asterisk 22), to be tried out with two softphones
# make install  the installing alone
# make test     everything; what cannot be installed here is named at the end (in CI that is a failure)
# make fast     the part that needs no servers
# make bench    measurements, with this machine's description
# make speech   install the speech pack: synthesis and draft transcripts (optional, 260 MB, outside this folder)
# make test-slow  what takes minutes or needs the speech pack; and the call tests on Asterisk 16
# make audit    known vulnerabilities of the dependencies (asks PyPI; fails when it cannot ask)
# make lock     resolve the dependencies anew

SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
SYSTEM_PY ?= python3
.DEFAULT_GOAL := help
.PHONY: help run run-phone install test test-slow fast check lint audit bench speech lock tools clean

help:
	@sed -n 's/^# //p' Makefile

tools:
	@command -v $(SYSTEM_PY) >/dev/null || { echo "缺少 python3，请先安装：apt-get install python3"; exit 1; }
	@$(SYSTEM_PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更高版本：apt-get install python3"; exit 1; }
	@$(SYSTEM_PY) -c 'import venv, ensurepip' 2>/dev/null || { echo "缺少 venv，请先安装：apt-get install python3-venv"; exit 1; }
	@command -v git >/dev/null || { echo "缺少 git，请先安装：apt-get install git"; exit 1; }

$(VENV)/installed: requirements.lock | tools
	@echo "正在安装依赖 …"
	@test -x $(PY) || $(SYSTEM_PY) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

FRONT := channels/web/front

$(FRONT)/node_modules/.installed: $(FRONT)/package-lock.json $(VENV)/installed
	@echo "正在取得前端组件 …"
	@bash $(FRONT)/install.sh
	@test ! -d $(FRONT)/node_modules || touch $@

$(FRONT)/node_modules/.installed-dev: $(FRONT)/package-lock.json $(VENV)/installed-dev
	@bash $(FRONT)/install.sh --dev
	@test ! -d $(FRONT)/node_modules || touch $@ $(FRONT)/node_modules/.installed

install: $(VENV)/installed $(FRONT)/node_modules/.installed

run: install
	@exec $(PY) -m intake serve

run-phone: install
	@exec $(PY) -m tests.asterisk.run_phone

test: $(VENV)/installed-dev $(FRONT)/node_modules/.installed-dev
	@bash tests/run_all.sh

test-slow: $(VENV)/installed-dev $(FRONT)/node_modules/.installed-dev
	@$(PY) -m pytest -q -m slow
	@HOTLINE_TEST_ASTERISK=16 $(PY) -m pytest -q -m "calls and not slow"
	@$(PY) -m tests.soak --kills 1000 --write

audit: $(VENV)/installed-dev
	@$(VENV)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r requirements.lock

fast: $(VENV)/installed-dev
	@$(PY) -m pytest -q -n 2 --dist loadfile -m "not servers and not slow"

lint: $(VENV)/installed-dev
	@$(VENV)/bin/ruff check intake channels classifier ivr tests bench
	@$(VENV)/bin/mypy

bench: $(VENV)/installed-dev
	@$(PY) -m bench

speech: tools
	@$(SYSTEM_PY) -m channels.phone.speech_pack.install

lock:
	uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -o requirements.lock
	uv pip compile --group speech -c requirements.lock --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -o requirements-speech.lock
	uv pip compile --group frontend --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -o requirements-frontend.lock
	uv pip compile pyproject.toml --group dev -c requirements.lock --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -o requirements-dev.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts
