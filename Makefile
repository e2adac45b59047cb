# Only Python 3.11 with venv, git and make have to be there: everything else comes from requirements.lock into .venv.
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
WAREHOUSE := $(BIN)/python -m orchestration
READY := $(VENV)/.ready .env.local
BENCH_VENV ?= build/bench/venv
.PHONY: help install demo test test-long graph ui stop lint docs bench bench-ingest bench-attribution bench-reads dsn env backup restore lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

install: $(READY) ## what all the others do first

demo: $(READY) ## a sample marketplace of 30 days, from landing files to published numbers; ARGUMENTS="--extend" adds the days since
	@$(WAREHOUSE) sample demo $(ARGUMENTS)

test: $(READY) ## all tests but those of test-long
	@$(BIN)/pytest -n 2 --dist worksteal -m "not long" $(ARGUMENTS)

test-long: $(READY) ## the tests that take minutes: kills of runs, servers and deployments; before a release
	@$(BIN)/pytest -m long $(ARGUMENTS)

graph: $(READY) ## write the asset graph that tests hold to: tests/conventions/graph.txt
	@$(BIN)/python -m tests.conventions.graph_snapshot

ui: $(READY) ## Dagster on the warehouse: web page, schedules, sensors; until Ctrl-C or make stop
	@$(WAREHOUSE) ui

stop: ## stop Dagster and the embedded Postgres server
	@[ ! -e $(VENV)/.ready ] || $(WAREHOUSE) stop

lint: $(READY) ## style, types, imports, SQL
	@.ci/lint $(BIN)

docs: $(READY) ## what all models and columns mean, as one page: build/docs/index.html
	@.ci/docs $(BIN)

bench: bench-ingest bench-attribution bench-reads ## how long things take

bench-ingest: $(READY) ## loading beside COPY, dlt, pandas and executemany; ARGUMENTS="--events 200000 --repeats 3" for less
	@$(MAKE) --no-print-directory $(BENCH_VENV)/.ready || echo "dlt cannot be installed: compared without it" >&2
	@$(BIN)/python -m tests.benchmarks.bench_ingest --dlt-python $(BENCH_VENV)/bin/python $(ARGUMENTS)

bench-attribution: $(READY) ## a day of sessions, paths and credits, after 40 and 365 days; ARGUMENTS="--days 60 --events 5000" for less
	@$(BIN)/python -m tests.benchmarks.bench_attribution $(ARGUMENTS)

bench-reads: $(READY) ## what dashboards ask of marts of a year, beside raw events; ARGUMENTS="--days 60 --assets 3000 --creators 300" for less
	@$(BIN)/python -m tests.benchmarks.bench_reads $(ARGUMENTS)

dsn: $(READY) ## the DSN for a BI tool, alone with -s
	@$(WAREHOUSE) dsn

env: $(READY) ## the variables for working by hand: eval "$(make -s env)"
	@$(WAREHOUSE) env

backup: $(READY) ## write the warehouse's database to one file: make backup FILE=warehouse.dump
	@$(WAREHOUSE) backup $(FILE)

restore: $(READY) ## fill a warehouse that holds nothing yet from such a file: make restore FILE=warehouse.dump
	@$(WAREHOUSE) restore $(FILE)

lock: $(VENV)/.ready ## resolve requirements.lock and requirements-bench.lock anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade --output-file requirements.lock
	@$(BIN)/uv pip compile --group bench --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade --output-file requirements-bench.lock

.env.local: | .env.example
	@umask 077 && cp .env.example .env.local

$(VENV)/.packages: requirements.lock
	@.ci/install "$(PYTHON)" "$(VENV)" >&2
	@touch $@

$(VENV)/.ready: $(VENV)/.packages pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . >&2
	@touch $@

$(BENCH_VENV)/.ready: requirements-bench.lock | $(VENV)/.ready
	@"$(PYTHON)" -m venv $(BENCH_VENV)
	@$(BIN)/uv pip install --quiet --python $(BENCH_VENV)/bin/python --require-hashes --compile-bytecode -r requirements-bench.lock || \
		$(BENCH_VENV)/bin/pip install --quiet --no-deps --require-hashes --requirement requirements-bench.lock
	@touch $@
