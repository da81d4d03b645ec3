# Two commands do everything: `make run` and `make test`. Nothing else needs to be installed first.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# A file is one worker's; tests/conftest.py says in which order.
SPREAD := -n auto --dist loadfile --no-loadscope-reorder

.PHONY: help run test check bench lint types contracts audit format lock promqltest dashboards clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.installed: pyproject.toml constraints.txt .ci/bootstrap.sh
	@bash .ci/bootstrap.sh venv "$(PYTHON)" "$(VENV)"
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@$(BIN)/python -m compileall -q monitor probes incidents  # the first start need not
	@touch $@

$(VENV)/.test-installed: $(VENV)/.installed
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

run: $(VENV)/.installed ## Start the monitor against the bundled demo marketplace
	@exec $(BIN)/monitor run

servers: ## Install the real servers the tests meet, where this machine may (root, Debian or Ubuntu)
	@bash .ci/bootstrap.sh servers

test: $(VENV)/.test-installed servers lint types contracts audit ## Everything: lint, types, contracts, all tests with real servers
	$(BIN)/python -m pytest $(SPREAD) -m "not real"
	$(BIN)/python -m pytest $(SPREAD) -m real

check: $(VENV)/.test-installed lint types contracts ## The fast part of `make test`
	$(BIN)/python -m pytest $(SPREAD) -m "not real and not slow"

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

contracts:
	$(BIN)/lint-imports

audit: $(VENV)/.test-installed ## Ask whether a pinned library has a known hole
	@$(BIN)/python .ci/audit.py

format: ## Rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.test-installed servers ## Run every bench beside its peer; writes bench/RESULTS.md
	$(BIN)/python -m bench

promqltest: $(VENV)/.installed ## Run PromQL test scripts: make promqltest FILES="a.test b.test"
	$(BIN)/python -m monitor.promql.testing $(FILES)

dashboards: $(VENV)/.test-installed ## Build dashboards/*.json again
	$(BIN)/python -m dashboards.build

lock: $(VENV)/.test-installed ## Write the versions installed now to constraints.txt
	@{ echo "# Exact versions that were tested together. Refresh with: make lock"; \
	   $(BIN)/pip freeze --exclude-editable | grep -v ' @ '; } > constraints.txt

clean: ## Remove the virtual environment and caches (never data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
