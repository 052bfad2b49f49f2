# The two commands that matter: `make run` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
STATIC := $(shell find static -type f)
PYTEST := $(PYTHON) -m pytest -q -n logical
CHECKED := ampersand files console operations writes sandbox scripts manage.py
POSTGRES := $(PYTHON) scripts/with_postgres.py --fast
# These start processes of their own, and mostly wait for them.
PROCESSES := tests/machines tests/chaos
UNIT := --ignore tests/browser $(PROCESSES:%=--ignore %)
# Each of the many processes that the tests start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run install test check lint types unit unit-sqlite unit-postgres machines machines-sqlite \
  machines-postgres browser permissions bench chaos chaos-sqlite chaos-postgres requirements clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-14s %s\n", $$1, $$2}'

run: $(VENV)/.run .env staticfiles/staticfiles.json ## Start everything on this machine and print the address
	@exec $(PYTHON) manage.py run

# What takes longest comes first, and what mostly waits beside it.
test: $(VENV)/.dev .env staticfiles/staticfiles.json ## Everything that must pass before a change lands
	@NO_NODE=0 scripts/stages.sh browser machines-postgres machines-sqlite types lint unit-sqlite unit-postgres conformance oidc

check: $(VENV)/.dev .env ## What to run after each change: lint, types, and the unit tests on SQLite
	@scripts/stages.sh unit-sqlite types lint

stage-%:
	@SECONDS=0; $(MAKE) $*; code=$$?; end=$$([ $$code = 0 ] || echo failed); \
		printf '%-18s %4d s %s\n' $* $$SECONDS $$end >> "$$STAGES_TOOK"; exit $$code

lint: $(VENV)/.dev .env ## Style, templates, imports, dangerous calls, migrations, deployment checks, known vulnerabilities
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/djade --target-version 6.1 --check $$(git ls-files --cached --others --exclude-standard 'templates/*.html')
	$(VENV)/bin/lint-imports
	# It also says where a comment stands on a line that has another part without a fault.
	$(VENV)/bin/bandit --quiet --configfile pyproject.toml --recursive $(CHECKED) \
	  2> >(grep -v 'nosec encountered' >&2)
	scripts/check_django.sh
	$(PYTHON) scripts/audit_dependencies.py requirements-dev.txt

types: $(VENV)/.dev .env ## Types
	$(VENV)/bin/mypy

unit: unit-sqlite unit-postgres ## Tests that start no processes, on both databases

unit-sqlite: $(VENV)/.dev
	$(PYTEST) $(UNIT)

# tests/conftest.py says which of them run here once more.
unit-postgres: $(VENV)/.dev
	$(POSTGRES) $(PYTEST) $(UNIT)

machines: machines-sqlite machines-postgres ## Tests with workers, clocks and webs of their own, on both databases

machines-sqlite: $(VENV)/.dev
	$(PYTEST) --maxschedchunk 1 $(PROCESSES)

machines-postgres: $(VENV)/.dev
	$(POSTGRES) $(PYTEST) --maxschedchunk 1 $(PROCESSES)

browser: $(VENV)/.dev .env staticfiles/staticfiles.json ## Tests in a real Chromium
	scripts/chromium.sh
	$(PYTEST) --dist loadfile --no-loadscope-reorder tests/browser

bench: $(VENV)/.dev .env staticfiles/staticfiles.json ## Measure; one line a figure, exit 1 where one falls short
	$(PYTHON) bench/all.py

permissions: $(VENV)/.dev .env ## Print who may do what at every address, and whether the docs say the same
	$(PYTHON) -m tests.print_permissions

.PHONY: conformance
conformance: $(VENV)/.dev .env staticfiles/staticfiles.json ## Tests against Prism, a fake of Ampersand's API that nobody here wrote (needs Node)
	scripts/node_tests.sh tests/conformance

.PHONY: oidc
oidc: $(VENV)/.dev .env staticfiles/staticfiles.json ## Sign-in by oidc-provider, a certified provider of OpenID Connect (needs Node)
	scripts/node_tests.sh tests/oidc

.PHONY: foreign
foreign: $(VENV)/.dev ## Tests on files of other people, in FOREIGN_FILES or ../shared; no part of `make test`
	$(PYTHON) -m pytest -q tests/foreign

# A few points of each suite are part of `make machines`. `make -j2 --output-sync chaos` runs both databases at once.
chaos: chaos-sqlite chaos-postgres ## Kill and break everything at every step, on both databases; tables, exit 1 on a violation

chaos-sqlite: $(VENV)/.dev
	$(PYTHON) -m tests.chaos --database sqlite

chaos-postgres: $(VENV)/.dev
	$(PYTHON) -m tests.chaos --database postgres

requirements: ## Pin the newest versions that the .in files allow (needs uv)
	uv pip compile --universal --upgrade --generate-hashes --no-header --no-annotate requirements.in -o requirements.txt
	uv pip compile --universal --upgrade --generate-hashes --no-header --no-annotate -c requirements.txt requirements-dev.in -o requirements-dev.txt
	uv pip compile --universal --upgrade --generate-hashes --no-header --no-annotate bench/requirements.in -o bench/requirements.txt

# They need root, Debian's packages and some minutes, so `make test` does without.
.PHONY: install-test image-test
install-test: $(VENV)/.dev ## Type docs/operating.md on an empty Debian, and work with what comes of it (root)
	$(PYTHON) -m tests.install

image-test: $(VENV)/.dev .env ## Build the container image and work with it (root)
	$(POSTGRES) $(PYTHON) -m tests.install.image

clean: ## Remove what was built; data and .env stay
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache

# Stamps: what is installed for running, and for testing on top of it.
$(VENV)/.run: requirements.txt scripts/install.sh
	scripts/install.sh requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt scripts/install.sh
	scripts/install.sh requirements-dev.txt
	@touch $@ $(VENV)/.run

.env: | $(VENV)/.run
	$(PYTHON) scripts/make_env.py > .env.new
	@chmod 600 .env.new && mv .env.new .env

staticfiles/staticfiles.json: $(STATIC) console/static_files.py $(VENV)/.run | .env
	$(PYTHON) manage.py collectstatic --noinput --verbosity 0
	@touch $@
