# Two commands matter: `make run` starts the server, `make test` proves it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

help: ## Show what there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: tools-build web ## Build the page and the server, and start it
	cargo build --release --locked -p turnwise
	exec ./target/release/turnwise serve

# The page is built into a released binary, and read from web/dist by a debug build. It is built again when something
# that it is made of is newer than its stamp.
PAGE := $(if $(wildcard web/package.json),web/dist/.stamp)
PAGE_SOURCES = $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -path web/stories -prune -o -type f -print 2>/dev/null)

web: $(PAGE) ## Build the page

web/dist/.stamp: web/node_modules/.stamp $(PAGE_SOURCES) openapi.json
	cd web && npm run build
	touch $@

web/node_modules/.stamp: web/package.json web/package-lock.json | tools-build
	cd web && npm ci --no-audit --no-fund
	touch $@

# One build for all: the test binary has the named stop-points in it, which do nothing until a test chooses one.
TESTS := cargo nextest run --locked --workspace --features turnwise/faults

# The page's stories drive a real browser over the binary that the tests were built with.
PAGE_TESTS := $(if $(PAGE),cd web && npm test && TURNWISE_BIN=../target/debug/turnwise npm run stories)

test: tools-test web ## Prove every promise, at small size
	$(TESTS)
	$(PAGE_TESTS)

test-long: tools-test web ## The same at length
	TURNWISE_TEST_LONG=1 PROPTEST_CASES=4096 $(TESTS)
	$(PAGE_TESTS)

lint: $(if $(PAGE),web/node_modules/.stamp) ## Format, lints, and what the dependencies may be
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --features turnwise/faults -- -D warnings
	$(if $(PAGE),cd web && npm run check)
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check; \
	else echo "turnwise: cargo-deny is not installed, so deny.toml is not checked"; fi

screenshots: tools-test web ## Take the pictures of the documentation anew
	cargo build --locked -p turnwise
	fc-list | grep -q Inter || echo "turnwise: without the font Inter (fonts-inter) the pictures look different"
	cd web && npm run screenshots

bench: tools-build web ## Measure, beside direct calls and a bare proxy in the same run
	cargo build --release --locked -p turnwise -p bench
	./target/release/bench --turnwise target/release/turnwise --json target/bench.json

tools-build:
	@scripts/setup build

tools-test:
	@scripts/setup test

.PHONY: help run web test test-long lint screenshots bench tools-build tools-test
