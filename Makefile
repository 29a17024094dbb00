# Two commands need nothing but Python 3.11+, git and make:
#   make demo   a small real world to click through
#   make test   everything that has to be true before a change lands

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: demo test lint types contracts migrations pytest coverage browser bench pins clean
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
	tests/integrations/test_timing.py

# One more than there are cores: many tests wait for processes of their own.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

# The whole suite on SQLite, and again on PostgreSQL where TEST_POSTGRES_URL names one.
pytest: $(VENV)/.dev
	$(BIN)/pytest -n $(WORKERS)
ifdef TEST_POSTGRES_URL
	TEST_DATABASE_URL=$(TEST_POSTGRES_URL) $(BIN)/pytest -n $(WORKERS) $(NO_DATABASE:%=--ignore=%)
endif

# By itself: measuring it takes the tests two to three times as long.
coverage: $(VENV)/.dev
	@rm -f .coverage .coverage.*
	$(BIN)/pytest -n $(WORKERS) --cov --cov-report=term

browser: $(VENV)/.dev
	$(BIN)/pytest tests/browser -m browser

# The peers are large and only wanted here, so they get an environment of their own.
.venv-bench/.done: requirements/base.txt requirements/dev.txt requirements/bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt -r requirements/dev.txt
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

# ARGS="--sizes 200 --write docs/performance.md", for example; see bench/import.py.
bench: .venv-bench/.done
	.venv-bench/bin/python -m bench.import $(ARGS)

pins: $(VENV)/.dev
	cd requirements && for name in base dev bench; do \
		../$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-header \
			--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file $$name.txt $$name.in; \
	done

clean:
	rm -rf $(VENV) .venv-bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache htmlcov staticfiles .coverage .coverage.*
