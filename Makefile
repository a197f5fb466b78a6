# Two commands matter: `make run` starts the server, `make test` proves it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

help: ## Show what there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: tools-build ## Build and start the server with its embedded default
	cargo build --release --locked -p turnwise
	exec ./target/release/turnwise serve

# One build for all: the test binary has the named stop-points in it, which do nothing until a test chooses one.
TESTS := cargo nextest run --locked --workspace --features turnwise/faults

test: tools-test ## Prove every promise, at small size
	$(TESTS)

test-long: tools-test ## The same at length
	TURNWISE_TEST_LONG=1 PROPTEST_CASES=4096 $(TESTS)

lint: ## Format, lints, and what the dependencies may be
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --features turnwise/faults -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check; \
	else echo "turnwise: cargo-deny is not installed, so deny.toml is not checked"; fi

bench: tools-build ## Measure, beside direct calls in the same run
	cargo build --release --locked -p turnwise -p bench
	./target/release/bench --turnwise target/release/turnwise --json target/bench.json

tools-build:
	@scripts/setup build

tools-test:
	@scripts/setup test

.PHONY: help run test test-long lint bench tools-build tools-test
