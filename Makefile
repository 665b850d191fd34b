# Picket's commands. `make` alone lists them. Everything that a command needs is set up by it.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
CLOUD := .venv/cloud
LINT := .venv/lint
FUNCTIONS := target/debug/picket-functions
PICKET := target/debug/picket
# Real credentials have no business here: everything below talks to loopback.
export AWS_EC2_METADATA_DISABLED := true

# A worker for each processor; where tests of a file share a cloud, they stay together.
WORKERS = -n auto --maxprocesses 4
TOGETHER = $(WORKERS) --dist loadfile --no-loadscope-reorder

# What `cargo clippy -- -D warnings` does, on top of a build: `cargo clippy` checks, and would compile every AWS SDK once more.
CLIPPY = RUSTC_WORKSPACE_WRAPPER="$$(rustc --print sysroot)/bin/clippy-driver" CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__

.PHONY: help demo test unit simulation node localcloud e2e browser lint build corpus soak numbers clean

help: ## What there is
	@awk -F':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build $(CLOUD)/ready ## The main job, as a story: a launch in, a quarantined instance and an alert out
	@$(CLOUD)/bin/python tests/localcloud/run.py --template template.yaml --binary $(FUNCTIONS) --parameter Mode=enforce --parameter AssessOnCalls=false --parameter DigestMinutes=0 --parameter MergeMinutes=0 -- $(PICKET) demo

test: unit simulation node localcloud e2e browser ## Every test

unit: ## The tests of the code, by data and in the fake world
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --workspace --locked; else cargo test --workspace --locked; fi

simulation: ## Some thousands of seeds of the deterministic simulation, every pair of faults, and the storm
	@$(MAKE) --no-print-directory soak SEEDS=4000

node: build $(CLOUD)/ready ## The collector of nodes, run for real on trees of nodes and on this machine
	$(CLOUD)/bin/python -m pytest -q $(WORKERS) tests/node

localcloud: $(CLOUD)/ready ## The tests of the local cloud itself
	$(CLOUD)/bin/python -m pytest -q $(TOGETHER) tests/localcloud

e2e: build $(CLOUD)/ready ## The real template and the real functions, in the local cloud
	$(CLOUD)/bin/python -m pytest -q $(TOGETHER) --durations=15 tests/e2e

browser: $(CLOUD)/ready ## The live report in headless Chromium
	$(CLOUD)/bin/python -m pytest -q tests/browser

lint: $(LINT)/ready ## Formatting, clippy, dependencies, templates
	cargo fmt --all --check
	$(CLIPPY) cargo build --quiet --workspace --all-targets --locked
	cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny@0.20.2
	cargo deny --log-level error check bans licenses sources
	$(LINT)/bin/python infra/lint/lint.py
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(LINT)/bin/sam validate --lint --template template.yaml

build: ## The functions and the command line, for this machine
	@cargo build --locked -p picket-functions -p picket || { echo "make: Picket could not be built; the lines above say why" >&2; exit 1; }

corpus: build ## Feed a folder of recorded events: make corpus DIR=path
	@test -n "$(DIR)" || { echo "make: say which folder: make corpus DIR=path" >&2; exit 2; }
	@$(PICKET) replay "$(DIR)"

soak: ## The deterministic simulation: make soak SEEDS=100000; one seed again, with its whole trace: make soak SEED=7
	@cargo build --quiet --locked --config tests/soak/profile.toml --profile soak -p picket-soak
	@target/soak/soak $(or $(SEEDS),10000) $(SEED) $(if $(SEED),,&& target/soak/soak pairs $(SHARE) && target/soak/soak storm)

numbers: $(CLOUD)/ready ## The numbers of the README, measured here
	cargo build --locked --release -p picket-functions -p picket
	$(CLOUD)/bin/python tests/numbers/measure.py

clean: ## Remove what was built and set up
	rm -rf target .venv .aws-sam

$(CLOUD)/ready: tests/localcloud/requirements.txt
	@$(call venv,$(CLOUD),$<,)

$(LINT)/ready: infra/lint/requirements.txt
	@$(call venv,$(LINT),$<,--no-deps)

# A virtual environment with pinned, hashed packages. $(1) where, $(2) requirements, $(3) more flags
define venv
command -v $(PYTHON) >/dev/null || { echo "make: Python 3.10 or newer is needed and $(PYTHON) was not found" >&2; exit 1; }; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "make: Python 3.10 or newer is needed; this is $$($(PYTHON) --version)" >&2; exit 1; }; \
echo "setting up $(1) (once)"; \
$(PYTHON) -m venv --clear $(1) && $(1)/bin/pip install --quiet --disable-pip-version-check $(3) --require-hashes -r $(2) \
	|| { echo "make: $(2) could not be installed; is a Python package index reachable?" >&2; rm -rf $(1); exit 1; }; \
touch $@
endef
