# Every target sets up what it needs (scripts/bootstrap.sh); nothing has to be installed by hand
# but, where the system's package manager cannot help, Python, Rust and a C compiler.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export PATH := $(PATH):$(HOME)/.cargo/bin

BIN := .venv/bin
BOOTSTRAP := @scripts/bootstrap.sh

.PHONY: help
help: ## list the targets
	@echo "make TARGET [ARGS='…'], where TARGET is one of"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 10

.PHONY: demo
demo: ## the whole story in one process, supply verified at the end (ARGS are passed on)
	$(BOOTSTRAP)
	@$(BIN)/specie demo $(ARGS)

.PHONY: test
test: ## all tests of Python and Rust but the long ones (ARGS go to pytest)
	$(BOOTSTRAP)
	$(BIN)/pytest --numprocesses auto --dist loadfile $(ARGS)
	cargo test --quiet --release --workspace --tests --locked

.PHONY: check
check: ## style, types, layers, stubs, lints, licences, advisories
	$(BOOTSTRAP)
	@scripts/check.sh

.PHONY: bench
bench: ## time the kernel's operations (ARGS are passed on)
	$(BOOTSTRAP)
	@$(BIN)/specie bench kernel $(ARGS)

.PHONY: soak
soak: ## the long tests, minutes to hours (ARGS go to pytest)
	$(BOOTSTRAP)
	$(BIN)/pytest -m soak --hypothesis-profile=soak $(ARGS)

.PHONY: fuzz
fuzz: ## every decoder under libFuzzer, then the property tests on fresh input
	$(BOOTSTRAP)
	@scripts/fuzz.sh
	$(BIN)/pytest -m "hypothesis and not soak" --hypothesis-profile=fuzz $(ARGS)

.PHONY: build
build: ## only the set-up: .venv, locked packages, native kernel
	$(BOOTSTRAP)

.PHONY: lock
lock: ## write requirements/*.lock anew from pyproject.toml (ARGS=--upgrade for newer versions)
	$(BOOTSTRAP) tools
	@scripts/lock.sh $(ARGS)

.PHONY: clean
clean: ## remove everything that was built or installed here
	rm -rf .venv target .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -f .bootstrap.lock src/specie/_kernel*.so
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
