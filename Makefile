# Everything sets itself up: Python >= 3.11 with pip and venv is all that is presumed.
PYTHON ?= python3
PIP := -m pip --disable-pip-version-check --quiet --quiet
JOBS ?= 2
TOOLS := $(patsubst tests/clients/tools/%.lock,.tools/%/.ready,$(wildcard tests/clients/tools/*.lock))

.PHONY: help demo run test lint soak tools clean
.DEFAULT_GOAL := help

help:  ## Say what can be made.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1 | /' | column -t -s '|'

.venv: .venv/.ready  ## The environment, with .venv/bin/bonded in it.

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Bonded needs Python 3.11 or newer; say which one with make PYTHON=…")'
	@echo "Setting up .venv (once) …"
	@$(PYTHON) -m venv .venv
	@.venv/bin/python $(PIP) install --require-hashes -r requirements.lock
	@.venv/bin/python $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: .venv/.ready  ## A private feed, used by pip and uv, in under two minutes.
	@.venv/bin/python -m examples.demo

run: .venv/.ready  ## Serve the feeds of ./bonded-data on port 8080.
	@.venv/bin/bonded serve

lint: .venv/.ready  ## Format, lint and type checks.
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

test: lint tools  ## Everything that must hold.
	.venv/bin/pytest -n $(JOBS) --dist loadfile

soak: .venv/.ready  ## The crash tests at POINTS random points (default 200).
	SOAK_POINTS=$(or $(POINTS),200) .venv/bin/pytest -m soak tests/faults

tools: .venv/.ready $(TOOLS)  ## The clients that tests run, each in an environment of its own.

.tools/%/.ready: tests/clients/tools/%.lock
	@echo "Setting up $* for the tests (once) …"
	@$(PYTHON) -m venv .tools/$*
	@.tools/$*/bin/python $(PIP) install --require-hashes -r $<
	@touch $@

clean:  ## Remove what was set up.
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis
