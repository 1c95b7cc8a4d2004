# Everything runs in .venv, made from plain python3 and the locked requirements.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-tools soak check build bench lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

setup: $(STAMP) ## .venv with everything, from nothing

$(STAMP): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "stop-guard needs Python 3.11 or later, $(PYTHON) is $$($(PYTHON) -V 2>&1); try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@echo "Setting up $(VENV); this takes a minute." >&2
	@# Some distributions split ensurepip off python3: then the machine's own pip puts one into .venv.
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { $(PYTHON) -m venv --without-pip $(VENV) && \
	    $(PYTHON) -m pip --quiet --disable-pip-version-check --python $(BIN)/python install pip; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## stop a sample fleet on the local ECS and show what happened
	@$(BIN)/stop-guard invoke events/timer.json

test: $(STAMP) ## all tests; those that need a browser or Node.js are skipped where it is missing
	@$(BIN)/python -m pytest -n auto --dist worksteal -q

test-tools: ## what those need: Node.js packages into tests/node, Chromium onto the machine (Debian, root)
	@tests/tools

soak: $(STAMP) ## every way of one instance, 200 runs under stress, a million simulated ones; takes an hour or so
	@STRESS_RUNS=200 $(BIN)/python -m pytest -n auto -q tests/function/test_stress.py
	@$(BIN)/python -m simulation.explore
	@$(BIN)/python -m simulation --runs 1000000 --first-seed 1000000 --workers $(or $(WORKERS),2)

check: $(STAMP) ## format, lint, strict types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy

build: $(STAMP) ## the artifact in build/ and build.zip; RUNTIME=host: for the Python at hand
	@$(BIN)/python -m local.artifact $(or $(RUNTIME),python3.12)

bench: $(STAMP) ## what a cold start costs, and a fleet
	@$(BIN)/python bench/cold_start.py
	@$(BIN)/python bench/fleets.py

lock: $(STAMP) ## lock the requirements anew, with hashes and without addresses
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	    --custom-compile-command 'make lock' pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	    --custom-compile-command 'make lock' --all-extras --constraint requirements.txt --allow-unsafe pyproject.toml -o requirements-dev.txt

clean: ## forget .venv and everything that was made
	rm -rf $(VENV) build build.zip .pytest_cache .mypy_cache .ruff_cache *.egg-info
