# Only Python 3.11 or newer with venv, git and make have to be there. The rest comes from requirements.lock into .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
WAREHOUSE := $(BIN)/python -m orchestration
READY := $(VENV)/.ready .env.local
BENCH_VENV ?= build/bench/venv
BI_VENV ?= build/bi/venv
SEMANTIC_VENV ?= build/semantic/venv
.PHONY: help install demo test test-long graph report ui bi metricflow screenshots stop lint docs bench bench-ingest bench-attribution bench-reads bench-day bench-range bench-anomalies dsn env backup restore lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

install: $(READY) ## install everything into .venv; all other targets do so first

demo: $(READY) ## load 30 days of sample data, run the pipeline, print a summary; ARGUMENTS="--extend" adds the days since
	@$(WAREHOUSE) sample demo $(ARGUMENTS)

test: $(READY) ## run all tests but those of test-long
	@$(BIN)/pytest -n 2 --dist worksteal -m "not long and not bi" $(ARGUMENTS)

test-long: $(READY) ## run the tests that take minutes, before a release: kills, plans by their job, more random histories
	@$(BIN)/pytest -m long $(ARGUMENTS)

graph: $(READY) ## write what tests hold to: the asset graph, tests/conventions/graph.txt, and docs/reference/checks.md
	@$(BIN)/python -m tests.conventions.graph_snapshot
	@$(WAREHOUSE) checks --markdown > docs/reference/checks.md

report: $(READY) ## write the report, one page of HTML: platform, creator, last night; ARGUMENTS="--creator ID --output FILE"
	@$(WAREHOUSE) report $(ARGUMENTS)

ui: $(READY) ## run Dagster: web page, schedules, sensors; until Ctrl-C or make stop
	@$(WAREHOUSE) ui

bi: $(READY) ## run the dashboards in Apache Superset; until Ctrl-C or make stop
	@$(WAREHOUSE) bi check
	@$(MAKE) --no-print-directory $(BI_VENV)/.ready
	@$(WAREHOUSE) bi --python $(BI_VENV)/bin/python serve

metricflow: $(READY) ## ask the semantic layer: ARGUMENTS="query --metrics views --group-by metric_time__week"
	@$(MAKE) --no-print-directory $(SEMANTIC_VENV)/.ready
	@$(WAREHOUSE) metricflow $(ARGUMENTS)

screenshots: $(READY) ## take the pictures of docs/images again, after make demo; needs Chromium
	@$(MAKE) --no-print-directory $(BI_VENV)/.ready
	@$(BIN)/python -m tests.bi.take_screenshots $(ARGUMENTS)

stop: ## stop the dashboards, Dagster and the embedded Postgres server
	@[ ! -e $(VENV)/.ready ] || $(WAREHOUSE) stop

lint: $(READY) ## check style, types, imports and SQL
	@.ci/lint $(BIN)

docs: $(READY) ## describe all models and columns on one page, build/docs/index.html
	@.ci/docs $(BIN)

bench: bench-ingest bench-attribution bench-reads ## measure loading, attribution and reads

bench-ingest: $(READY) ## measure loading beside COPY, dlt, pandas and executemany; ARGUMENTS="--events 200000 --repeats 3" for less
	@$(MAKE) --no-print-directory $(BENCH_VENV)/.ready || echo "dlt cannot be installed: compared without it" >&2
	@$(BIN)/python -m tests.benchmarks.bench_ingest --dlt-python $(BENCH_VENV)/bin/python $(ARGUMENTS)

bench-attribution: $(READY) ## measure a day of sessions, paths and credits, after 40 and 365 days; ARGUMENTS="--days 60 --events 5000" for less
	@$(BIN)/python -m tests.benchmarks.bench_attribution $(ARGUMENTS)

bench-reads: $(READY) ## measure dashboard queries on marts of a year, beside raw events; ARGUMENTS="--days 60 --assets 3000 --creators 300" for less
	@$(BIN)/python -m tests.benchmarks.bench_reads $(ARGUMENTS)

bench-day: $(READY) ## measure a day of 1,000,000 events from landing files to marts, beside COPY; ARGUMENTS="--events 100000 --history 5" for less
	@$(BIN)/python -m tests.benchmarks.bench_day $(ARGUMENTS)

bench-range: $(READY) ## measure 90 days of 50,000 events as one run, beside COPY and daily runs; ARGUMENTS="--days 30 --events 20000" for less
	@$(BIN)/python -m tests.benchmarks.bench_range $(ARGUMENTS)

bench-anomalies: $(READY) ## measure which planted faults are noticed, and false alarms; ARGUMENTS="--seeds 6 --clean-seeds 6 --days 30 --lines 3000" for less
	@$(BIN)/python -m tests.benchmarks.bench_anomalies $(ARGUMENTS)

dsn: $(READY) ## print the DSN for a BI tool; with -s nothing else
	@$(WAREHOUSE) dsn

env: $(READY) ## print the variables for working by hand: eval "$(make -s env)"
	@$(WAREHOUSE) env

backup: $(READY) ## write the warehouse's database to one file: make backup FILE=warehouse.dump
	@$(WAREHOUSE) backup $(FILE)

restore: $(READY) ## fill a warehouse that holds nothing yet from such a file: make restore FILE=warehouse.dump
	@$(WAREHOUSE) restore $(FILE)

lock: $(VENV)/.ready ## resolve requirements.lock and the locks beside it from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade --output-file requirements.lock
	@$(BIN)/uv pip compile --group bench --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade --output-file requirements-bench.lock
	@$(BIN)/uv pip compile --group bi --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade --output-file requirements-bi.lock
	@$(BIN)/uv pip compile --group semantic --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade --output-file requirements-semantic.lock

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

$(BI_VENV)/.ready: requirements-bi.lock | $(VENV)/.ready
	@echo "installing Superset into $(BI_VENV), which takes a minute" >&2
	@"$(PYTHON)" -m venv $(BI_VENV)
	@$(BIN)/uv pip install --quiet --python $(BI_VENV)/bin/python --require-hashes --compile-bytecode -r requirements-bi.lock || \
		$(BI_VENV)/bin/pip install --quiet --no-deps --require-hashes --requirement requirements-bi.lock
	@touch $@

$(SEMANTIC_VENV)/.ready: requirements-semantic.lock | $(VENV)/.ready
	@echo "installing MetricFlow into $(SEMANTIC_VENV), which takes a minute" >&2
	@"$(PYTHON)" -m venv $(SEMANTIC_VENV)
	@$(BIN)/uv pip install --quiet --python $(SEMANTIC_VENV)/bin/python --require-hashes --compile-bytecode -r requirements-semantic.lock || \
		$(SEMANTIC_VENV)/bin/pip install --quiet --no-deps --require-hashes --requirement requirements-semantic.lock
	@touch $@
