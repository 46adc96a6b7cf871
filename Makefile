# make run      start the gateway on http://127.0.0.1:12319 (installs what it needs first)
# make install  the installing alone
# make test     everything; what cannot be installed here is named at the end (in CI that is a failure)
# make fast     the part that needs no servers
# make bench    measurements, with this machine's description
# make lock     resolve the dependencies anew

SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
SYSTEM_PY ?= python3
.DEFAULT_GOAL := help
.PHONY: help run install test fast check lint bench lock tools clean

help:
	@sed -n 's/^# //p' Makefile | head -7

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

install: $(VENV)/installed

run: install
	@exec $(PY) -m intake serve

test: $(VENV)/installed-dev
	@bash tests/run_all.sh

fast: $(VENV)/installed-dev
	@$(PY) -m pytest -q -n 2 --dist loadfile -m "not servers"

lint: $(VENV)/installed-dev
	@$(VENV)/bin/ruff check intake channels classifier ivr tests bench
	@$(VENV)/bin/mypy

bench: $(VENV)/installed-dev
	@$(PY) -m bench

lock:
	uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -o requirements.lock
	uv pip compile pyproject.toml --group dev -c requirements.lock --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -o requirements-dev.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts
