# Every target explains itself: `make help`.

PORT ?= 8000
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; \
	done; echo python3)

BIN := .venv/bin
RUNTIME := .venv/.installed-runtime
DEV := .venv/.installed-dev
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test check nightly bench growth lint types imports openapi migrate migration \
	format audit lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(DEV) ## Create .venv and install everything, locked by hash
	@echo "Ready: .venv/bin/alongside"

run: $(RUNTIME) ## Install, migrate, load the demo if empty, serve (PORT=8000, DATABASE_URL=...)
	@$(BIN)/alongside migrate
	@PORT=$(PORT) $(BIN)/alongside demo
	@exec $(BIN)/alongside serve --host 127.0.0.1 --port $(PORT)

test: $(DEV) ## Run the tests, with coverage, on every core
	@$(BIN)/pytest -n auto --cov --cov-report=term:skip-covered

check: $(DEV) lint types imports ## Everything CI runs: lint, types, imports, openapi, migrations, tests
	$(BIN)/alongside openapi --check
	$(BIN)/alongside migrate --check
	$(MAKE) --no-print-directory test

LONG = tests/races tests/journeys/test_isolation.py tests/journeys/test_audit_after_a_kill.py \
	tests/journeys/test_alerts_under_fire.py \
	tests/properties tests/api/test_fhir_hostile.py tests/api/test_fhir_largest.py \
	tests/api/test_us_core_examples.py tests/api/test_import_killed.py \
	tests/service/imports/test_running.py tests/contract

nightly: $(DEV) ## The long tests: more repetitions, bigger sizes
	ALONGSIDE_NIGHTLY=1 $(BIN)/pytest -v --durations=0 $(LONG)

bench: $(DEV) ## Measure read, search and create against a served demo
	bench/run.sh

growth: $(DEV) ## Measure from 10 thousand resources to a million (minutes; SIZES, DATABASE_URL)
	$(BIN)/python -m bench.growth

lint: $(DEV) ## Report format and lint errors
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(DEV) ## Type-check with mypy, strict
	$(BIN)/mypy

imports: $(DEV) ## Check that imports point one way
	$(BIN)/lint-imports --no-logo

openapi: $(DEV) ## Write openapi.yaml from the app
	$(BIN)/alongside openapi

migrate: $(RUNTIME) ## Bring the database to the newest revision (DATABASE_URL=...)
	$(BIN)/alongside migrate

migration: $(DEV) ## Draft a revision from the models (m="what changes")
	$(BIN)/alembic revision --autogenerate -m "$(m)"

format: $(DEV) ## Format, and fix what ruff can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

audit: $(DEV) ## Look for known vulnerabilities in the locked dependencies
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements.lock

lock: ## Resolve pyproject.toml into both lock files again (needs uv; UPGRADE=--upgrade)
	echo 'setuptools>=77' | $(LOCK) pyproject.toml - -o requirements.lock
	echo 'setuptools>=77' | $(LOCK) pyproject.toml - --group dev -c requirements.lock -o requirements-dev.lock

clean: ## Remove .venv, caches and build output; the database stays
	rm -rf .venv build dist *.egg-info htmlcov .coverage .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find api fhir_mappings service tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The lock names no host, so each site resolves it from its own registry. It keeps extras: without
# them pip looks for coverage[toml] apart from the pinned coverage, and refuses what is newer.
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-header --no-strip-extras --no-emit-index-url --no-emit-find-links \
	--no-emit-build-options $(UPGRADE)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Alongside needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
			"Install one, or name it: make install PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot create virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# setuptools is in the lock, so building needs nothing from outside it.
$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the dependencies (once; about half a minute)"
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable . 2>/dev/null || \
		$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
