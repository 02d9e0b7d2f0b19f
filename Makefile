# `make` alone lists the targets. What may be set: PORT, INSTANCE, DEMO (run), WORKERS (test), LARGEST, ROUNDS, DATABASES, FOLDER, DOCUMENT (bench-threads),
# PYTHON.
# Nothing is written but the clone (.venv, caches) and INSTANCE.

PORT ?= 8000
INSTANCE ?= $(or $(PARLEY_INSTANCE),instance)
DEMO ?= 1
WORKERS ?= 2

# Which Python makes the environment: the first of these that is new enough.
PYTHONS = $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
INSTALL = .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-cache-dir --no-compile --only-binary :all: --require-hashes
FLASK = .venv/bin/flask --app app

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run serve test check bench-threads install lock browser clean

help:  ## This list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

run: export PARLEY_ENV = development
run: export PARLEY_INSTANCE = $(INSTANCE)
run: .venv/run.stamp  ## A board with demo content at http://127.0.0.1:8000 (PORT=, INSTANCE=, DEMO=0 starts empty)
	@exec $(FLASK) develop --port $(PORT) $(if $(filter 0 no false off,$(DEMO)),--no-demo,--demo)

serve: export PARLEY_ENV = production
serve: export PARLEY_INSTANCE = $(INSTANCE)
serve: .venv/run.stamp  ## The production server (PORT=, INSTANCE=; SECRET_KEY from outside; docs/operating.md)
	@exec $(FLASK) serve --port $(PORT)

test: .venv/dev.stamp browser  ## All tests, on SQLite and PostgreSQL, in a real browser too (WORKERS=)
	@exec .venv/bin/python -m pytest -n $(WORKERS)

check: .venv/dev.stamp  ## Lint and types
	@.venv/bin/ruff check .
	@.venv/bin/mypy

bench-threads: .venv/dev.stamp  ## What a thread costs, from 100 comments to a million (LARGEST=, ROUNDS=, DATABASES=, FOLDER= keeps the data, DOCUMENT=1)
	@exec .venv/bin/python -m bench.measure_threads $(if $(LARGEST),--largest $(LARGEST)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(DATABASES),--databases $(DATABASES)) $(if $(FOLDER),--folder $(FOLDER)) $(if $(DOCUMENT),--document)

install: .venv/run.stamp  ## Only the environment, compiled: for a server that may not write into it
	@.venv/bin/python -m compileall -q -j 0 .venv/lib blog migrations app.py

lock: .venv/dev.stamp  ## Write requirements*.txt anew from pyproject.toml
	@if test -x .venv/bin/uv; then uv=.venv/bin/uv; else uv=uv; fi; command -v $$uv > /dev/null || { echo "make lock needs uv: .venv/bin/pip install uv" >&2; exit 1; }; \
	lock() { $$uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url --no-header --no-annotate "$$@"; }; \
	lock pyproject.toml -o requirements.txt && lock pyproject.toml --group dev -o requirements-dev.txt

browser:  ## Find a Chromium for the browser tests; as root on Debian, install one
	@for name in chromium chromium-browser google-chrome; do if command -v $$name > /dev/null; then exit 0; fi; done; \
	if test "$$(id -u)" = 0 && command -v apt-get > /dev/null; then \
		echo "No Chromium here: installing Debian's."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium > /dev/null && exit 0; \
	fi; \
	echo "NO BROWSER: there is no chromium, chromium-browser or google-chrome, so the browser tests are SKIPPED." >&2; \
	test "$$CI" != true

clean:  ## Take away the environment and caches; instance folders stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results .coverage
	find . -name __pycache__ -type d -not -path './.git/*' -exec rm -rf {} +

.venv/bin/python:
	@for python in $(PYTHONS); do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then \
			$$python -c 'import venv, ensurepip' 2> /dev/null || { \
				echo "Parley needs Python's venv module, which $$python lacks; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
			rm -rf .venv; exec $$python -m venv .venv; \
		fi; \
	done; \
	echo "Parley needs Python 3.11 or newer; none was found under the names: $(PYTHONS). Set PYTHON to one." >&2; exit 1

.venv/run.stamp: requirements.txt | .venv/bin/python
	@echo "Installing what Parley needs into .venv (once)"
	@$(INSTALL) -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	@echo "Installing what the tests need into .venv (once)"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
