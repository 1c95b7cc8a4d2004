# Everything runs in .venv, made from plain python3 and the locked requirements.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOCAL  := $(VENV)/.local
ALL    := $(VENV)/.all
LOCK   := --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-tools soak check build bench lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

setup: $(ALL) ## .venv with everything, from nothing

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "stop-guard needs Python 3.11 or later, $(PYTHON) is $$($(PYTHON) -V 2>&1); try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@# Some distributions split ensurepip off python3: then the machine's own pip puts one into .venv.
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { $(PYTHON) -m venv --without-pip $(VENV) && \
	    $(PYTHON) -m pip --quiet --disable-pip-version-check --python $(BIN)/python install pip; }

# Installs a locked list, and counts on one line what pip reports a line each.
define install
	@echo "Setting up $(VENV) from $(1): $(2)." >&2
	@{ $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r $(1) || echo FAILED; } | \
	    awk -v all="$$(grep -c '^[a-z].*==' $(1))" '/^(Collecting|Processing|Requirement|Ignoring) / { printf "\r  %d of %d packages", ++n, all } \
	        /^Installing/ { printf ", now unpacking" } /^FAILED/ { failed = 1 } { fflush() } END { print ""; exit failed }' >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endef

# What the function and the command line need.
$(LOCAL): requirements-local.txt pyproject.toml | $(VENV)/pyvenv.cfg
	$(call install,requirements-local.txt,one minute and 120 MB)
	@touch $@

# What the tests need, too.
$(ALL): requirements-dev.txt pyproject.toml | $(VENV)/pyvenv.cfg
	$(call install,requirements-dev.txt,two minutes and 530 MB)
	@touch $(LOCAL) $@

demo: $(LOCAL) ## stop a sample fleet on the local ECS and show what happened
	@$(BIN)/stop-guard invoke events/timer.json

test: $(ALL) ## all tests; those that need a browser or Node.js are skipped where it is missing
	@$(BIN)/python -m pytest -n auto --dist worksteal -q

test-tools: ## what those need: Node.js packages into tests/node, Chromium onto the machine (Debian, root)
	@tests/tools

soak: $(ALL) ## every path of one instance, 250,000 odd events, 200 runs under stress, a million simulated ones; takes hours
	@FUZZ_EXAMPLES=50000 $(BIN)/python -m pytest -n auto -q tests/function/events/test_fuzz.py
	@STRESS_RUNS=200 $(BIN)/python -m pytest -n auto -q tests/function/stopping/test_stress.py
	@$(BIN)/python -m simulation.explore
	@$(BIN)/python -m simulation --runs 1000000 --first-seed 1000000 --workers $(or $(WORKERS),2)

check: $(ALL) ## format, lint, strict types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy

build: $(LOCAL) ## the artifact in build/ and build.zip; RUNTIME=host: for the Python at hand
	@$(BIN)/python -m local.artifact $(or $(RUNTIME),python3.12)

bench: $(ALL) ## what a cold start costs, an answer over HTTP, hostile events, and a fleet
	@$(BIN)/python bench/cold_start.py
	@$(BIN)/python bench/http_answer.py
	@$(BIN)/python bench/hostile_events.py
	@$(BIN)/python bench/fleets.py
	@$(BIN)/python bench/local_ecs.py

lock: $(ALL) ## lock the requirements anew, with hashes and without addresses
	@$(BIN)/uv pip compile $(LOCK) --upgrade pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile $(LOCK) --upgrade --extra local --constraint requirements.txt --allow-unsafe pyproject.toml -o requirements-local.txt
	@$(BIN)/uv pip compile $(LOCK) --upgrade --all-extras --constraint requirements-local.txt --allow-unsafe pyproject.toml -o requirements-dev.txt

clean: ## forget .venv and everything that was made
	rm -rf $(VENV) build build.zip .pytest_cache .mypy_cache .ruff_cache *.egg-info local/build local/*.egg-info
