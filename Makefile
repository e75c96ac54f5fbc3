# `make` alone says what there is. Each target that is for people has a line of help after `##`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Stages of a run are told apart by their timings, and two cores are enough for one at a time.
.NOTPARALLEL:

TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
STAGE := scripts/stage.sh
NPM := npm --prefix dashboard --no-fund --no-audit --loglevel=error
# cargo-deny, where scripts/cargo-deny.sh put it.
export PATH := $(abspath $(TARGET))/tools/bin:$(PATH)

.PHONY: help
help: ## This list
	@awk -F':.*## ' '/^## / { printf "\n%s\n", substr($$0, 4) } \
		/^[a-z][a-z0-9-]*:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## See it

.PHONY: demo
demo: dashboard ## Build all and show live totals on http://127.0.0.1:8080, with no server needed
	@cargo build --release
	@$(TARGET)/release/takings demo

## Build it

.PHONY: build
build: dashboard ## The one binary, with the dashboard in it: target/release/takings
	@cargo build --release

.PHONY: dashboard
dashboard: dashboard/dist/index.html ## The dashboard alone, into dashboard/dist
	@:

# npm ci removes node_modules first, so it is done only when the lock file has changed.
dashboard/node_modules/.installed: dashboard/package-lock.json
	@$(NPM) ci </dev/null
	@touch $@

DASHBOARD_SOURCES := $(shell find dashboard -path dashboard/node_modules -prune -o -path dashboard/dist -prune -o -type f -print 2>/dev/null)
dashboard/dist/index.html: dashboard/node_modules/.installed $(DASHBOARD_SOURCES)
	@$(NPM) run build
	@touch $@

## Prove it

# The order is by what fails soonest. The dashboard comes before the Rust tests, which serve it from the binary.
.PHONY: test
test: ## Install what the tests need, and run all of them
	@$(STAGE) --begin
	@$(STAGE) 'setup' $(MAKE) --no-print-directory setup
	@$(STAGE) 'formatting' $(MAKE) --no-print-directory fmt-check
	@$(STAGE) 'dashboard: install and build' $(MAKE) --no-print-directory dashboard
	@$(STAGE) 'dashboard: lint, types, unit tests' $(MAKE) --no-print-directory dashboard-test
	@$(STAGE) 'licences and sources' $(MAKE) --no-print-directory deny
	@$(STAGE) 'clippy' $(MAKE) --no-print-directory clippy
	@$(STAGE) 'compile the tests' cargo test --workspace --no-run --quiet
	@$(STAGE) 'dashboard: in Chromium' $(MAKE) --no-print-directory dashboard-made-up
	@$(STAGE) 'rust tests' scripts/rust-tests.sh
	@echo
	@$(STAGE) --summary
	@echo 'make test: all passed'

.PHONY: soak
soak: setup ## An hour of faults from a seed, every row recounted: make soak SEED=7 MINUTES=60
	@TAKINGS_SOAK_MINUTES=$(or $(MINUTES),60) $(if $(SEED),TAKINGS_SEED=$(SEED)) \
		cargo test --test faults -- --nocapture everything_that_happens

.PHONY: unit
unit: ## The tests that need no server: seconds, for the inner loop
	@cargo test --workspace --lib --bins
	@cargo test -p takings-dataflows

.PHONY: lint
lint: fmt-check clippy deny ## Formatting, clippy, licences, and the dashboard's lints and types
	@$(MAKE) --no-print-directory dashboard-lint

.PHONY: fmt
fmt: ## Format the Rust code
	@cargo fmt --all

.PHONY: fmt-check
fmt-check:
	@cargo fmt --all --check

.PHONY: clippy
clippy:
	@cargo clippy --workspace --all-targets --quiet -- -D warnings

.PHONY: deny
deny:
	@scripts/cargo-deny.sh
	@cargo deny --log-level error check licenses bans sources

.PHONY: advisories
advisories: ## Known vulnerabilities in what is built in (fetches the advisory database)
	@scripts/cargo-deny.sh
	@cargo deny check advisories

TARGETS := $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))
TARGET_NAMED := $(if $(filter command line,$(origin TARGET)),$(TARGET))
.PHONY: fuzz
fuzz: ## Fuzz: TARGET=decoder SECONDS=60; without TARGET each one in turn
	@for target in $(or $(TARGET_NAMED),$(TARGETS)); do scripts/fuzz.sh $$target $(or $(SECONDS),60); done

.PHONY: dashboard-lint
dashboard-lint: dashboard/node_modules/.installed
	@$(NPM) run lint
	@$(NPM) run typecheck

.PHONY: dashboard-test
dashboard-test: dashboard-lint
	@$(NPM) test

.PHONY: dashboard-e2e
dashboard-e2e: ## All of the page's tests in a browser, on a shop in memory: minutes, for the inner loop
	@$(NPM) run e2e

# All others are run on the real binary, by tests/page.
.PHONY: dashboard-made-up
dashboard-made-up: dashboard
	@$(NPM) run e2e -- e2e/made-up.test.ts

.PHONY: setup
setup: ## Install what the tests need: Debian packages, Kafka, a Python client
	@scripts/packages.sh
	@scripts/kafka.sh
	@scripts/python.sh

## Measure it

.PHONY: bench
bench: setup dashboard ## 2 million orders through Kafka and PostgreSQL beside the floor; writes benches/RESULTS.md
	@cargo bench --bench end_to_end

.PHONY: bench-streams
bench-streams: setup ## Ten thousand idle event streams: the service's memory, and freshness beside them
	@cargo bench --bench streams

.PHONY: bench-parts
bench-parts: ## Nanoseconds an order in the decoder, the upsert and the dataflow (criterion)
	@cargo bench --bench decode
	@cargo bench -p takings-dataflows --bench upsert --bench totals
