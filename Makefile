# `make run` and `make test` need nothing but Rust: what else they need, `scripts/prepare` sees to.

.DEFAULT_GOAL := help
.PHONY: help run token test soak bench check contract openapi schema clean

# Where rustup puts cargo, for a shell that has not heard of it yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

# What is quick to build; `make run PROFILE=release` is what containers have.
PROFILE := dev
SERVICE := $(or $(CARGO_TARGET_DIR),target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/kuntatutorit
BUILD := cargo build --locked --bin kuntatutorit --profile $(PROFILE)
# On Linux, the service stops when make is killed.
TIED := $(shell setpriv --pdeathsig TERM true 2>/dev/null && echo setpriv --pdeathsig TERM)

help: ## Say what there is (this)
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name does; do \
		printf '  make %-9s %s\n' "$$name" "$$does"; done

run: ## Build and serve, on a private PostgreSQL unless DATABASE_URL is set
	@scripts/prepare run
	@$(BUILD)
	@exec $(TIED) $(SERVICE) serve

token: $(SERVICE) ## Print an access token: make -s token ROLE=coordinator, or ROLE=municipality MUNICIPALITY=049
	@$(if $(ROLE),,echo 'Say whose: make -s token ROLE=coordinator, or ROLE=municipality MUNICIPALITY=049' >&2; exit 2;) \
		exec $(SERVICE) token --role '$(ROLE)' $(if $(MUNICIPALITY),--municipality '$(MUNICIPALITY)')

# Only when there is none: a token is for the service that runs.
$(SERVICE):
	@scripts/prepare build
	@$(BUILD) --quiet >&2

test: ## Run every test, against a real PostgreSQL of its own
	@scripts/prepare test
	@scripts/test

soak: ## The long forms of the tests: kills, faults, 10,000 writes copied, every hostile value; prints what it counted
	@scripts/prepare test
	SOAK=1 COPY_WRITES=10000 HOSTILE_ALL=1 scripts/test -- --nocapture --test-threads=2 \
		faults:: changes::copying hostile:: instances:: idempotency:: sessions::

bench: ## What each operation costs beside the floor, and whether it grows with the data; writes benches/results.md
	@scripts/prepare bench
	@scripts/bench

check: ## Formatting, lints, documentation, the committed contract, licences, unused dependencies
	@scripts/prepare check
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items
	@scripts/check

contract: ## Let others judge the contract: linters, generated clients, schemathesis in every role
	@scripts/prepare contract
	@cargo build --locked --bin kuntatutorit
	@contract/run

openapi: ## Write openapi/openapi.json anew
	@scripts/prepare build
	@mkdir -p target
	cargo run --quiet --locked -- openapi > target/openapi.json
	mv target/openapi.json openapi/openapi.json

schema: ## Write src/schema.rs anew, from the migrations
	@scripts/prepare schema
	@mkdir -p target
	scripts/schema > target/schema.rs
	mv target/schema.rs src/schema.rs

clean: ## Remove what was built; the data stays
	cargo clean
