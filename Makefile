# Every command that needs more than Rust first runs scripts/prepare, which installs what is missing or says what to install.

.DEFAULT_GOAL := help
.PHONY: help run token test soak bench check contract openapi schema licences sbom clean

# rustup installs cargo there; a shell that was opened before does not have it on its PATH yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

# The dev profile is quick to build. `make run PROFILE=release` runs what the container image has.
PROFILE := dev
SERVICE := $(or $(CARGO_TARGET_DIR),target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/kuntatutorit
BUILD := cargo build --locked --bin kuntatutorit --profile $(PROFILE)
# On Linux, setpriv stops the service when make is killed.
TIED := $(shell setpriv --pdeathsig TERM true 2>/dev/null && echo setpriv --pdeathsig TERM)

help: ## List the commands
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name does; do \
		printf '  make %-9s %s\n' "$$name" "$$does"; done

run: ## Build and serve; starts a private PostgreSQL unless DATABASE_URL is set
	@scripts/prepare run
	@$(BUILD)
	@exec $(TIED) $(SERVICE) serve

token: $(SERVICE) ## Print an access token: make -s token ROLE=coordinator, or ROLE=municipality MUNICIPALITY=049
	@$(if $(ROLE),,echo 'ROLE is missing. Use: make -s token ROLE=coordinator, or ROLE=municipality MUNICIPALITY=049' >&2; exit 2;) \
		exec $(SERVICE) token --role '$(ROLE)' $(if $(MUNICIPALITY),--municipality '$(MUNICIPALITY)')

# Builds the program only if there is none: a token is for the service that is already running.
$(SERVICE):
	@scripts/prepare build
	@$(BUILD) --quiet >&2

test: ## Run every test against a PostgreSQL of its own
	@scripts/prepare test
	@scripts/test

soak: ## Run the long tests (kills, failovers, faults, 10,000 copied writes, every hostile value) and print their counts
	@scripts/prepare test
	SOAK=1 COPY_WRITES=10000 HOSTILE_ALL=1 scripts/test -- --nocapture --test-threads=2 \
		faults:: lost_writes:: postgresql:: changes::copying hostile:: instances:: idempotency:: sessions:: \
		sign_in_capacity:: large_answers:: hostile_callers::
	scripts/test -- --ignored private_postgres::stop
	SOAK=1 scripts/test -- --ignored --nocapture lost_writes::
	THROUGH=role scripts/test --test api
	THROUGH=pgbouncer scripts/test --test api

bench: ## Measure the cost of each operation and how it grows with the data; writes benches/results.md
	@scripts/prepare bench
	@scripts/bench

check: ## Check formatting, lints, documentation, the committed contract, licences and unused dependencies
	@scripts/prepare check
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items
	@scripts/check

contract: ## Check the contract with other tools: linters, generated clients, schemathesis in every role
	@scripts/prepare contract
	@cargo build --locked --bin kuntatutorit
	@contract/run

openapi: ## Regenerate openapi/openapi.json
	@scripts/prepare build
	@mkdir -p target
	cargo run --quiet --locked -- openapi > target/openapi.json
	mv target/openapi.json openapi/openapi.json

schema: ## Regenerate src/schema.rs from the migrations
	@scripts/prepare schema
	@mkdir -p target
	scripts/schema > target/schema.rs
	mv target/schema.rs src/schema.rs

licences: ## Regenerate licences.txt, the notices of all dependencies, which the program contains
	@scripts/prepare licences
	@mkdir -p target
	scripts/licences > target/licences.txt
	mv target/licences.txt licences.txt

sbom: ## Write target/sbom.json, the list of everything in the program, in the format CycloneDX
	@scripts/prepare sbom
	@scripts/sbom

clean: ## Remove build results; the data stays
	cargo clean
