# Every target does all the set-up it needs and is safe to repeat.
.DEFAULT_GOAL := help
# Packages are compiled when they are first imported, and the next process finds them so, whatever a terminal says of it.
unexport PYTHONDONTWRITEBYTECODE
PYTHON := .venv/bin/python
PATHS := PYTHONPATH=.:layers/saldo/python
ENV ?= staging
NODE = $$($(PYTHON) -c "from infra.cdk.node import folder; print(folder())")
CDK = PATH="$(NODE):$(CURDIR)/.venv/bin:$$PATH" CDK_DISABLE_CLI_TELEMETRY=true SALDO_ENV=$(ENV) \
	node "$(NODE)/../lib/node_modules/npm/bin/npx-cli.js" --yes aws-cdk@2.1148.1 --no-notices \
	--app "$(PYTHON) -m infra.cdk" --output build/cdk.out/$(ENV)
BOOTSTRAP = python3 local/bootstrap.py
# Tests of the whole system share one instance of it and run one after the other, mostly waiting for it: beside them run the
# tests of parts, and types are checked. What they print comes when they end.
SANS_WEB = $(if $(filter 1,$(NO_BROWSER)), and not web)

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: ## the virtual environment alone
	@$(BOOTSTRAP)

up: setup ## Saldo on this machine: http://localhost:8080/
	@$(PATHS) $(PYTHON) -m local up

down: setup ## stop it; data stays
	@$(PATHS) $(PYTHON) -m local down

reset: setup ## stop it and forget its data
	@$(PATHS) $(PYTHON) -m local reset

status: setup ## what is running
	@$(PATHS) $(PYTHON) -m local status

test: ## set-up, lint and every test
	@$(BOOTSTRAP) --browser
	@$(MAKE) --no-print-directory style
	@$(MAKE) --no-print-directory -j 3 parts types whole

parts:
	@$(PYTHON) -m pytest -n 2 --dist worksteal -m "not stack$(SANS_WEB)"

whole:
	@mkdir -p build
	@$(PYTHON) -m pytest -m "stack$(SANS_WEB)" tests/scenarios tests/stack tests/web > build/whole.txt 2>&1; ended=$$?; cat build/whole.txt; exit $$ended

check: lint ## lint and the tests that need neither a browser nor the whole system
	@$(PYTHON) -m pytest -m "not stack and not web"

lint: setup style types ## ruff, mypy, the floors of the house

style:
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PATHS) .venv/bin/lint-imports --no-cache

types:
	@$(PYTHON) -m mypy

cases: setup ## the worked billing cases, area by area
	@$(PATHS) $(PYTHON) -m tests.cases

decade: setup ## 1,000 accounts over ten years, each invoice worked out again; SEED= ACCOUNTS= MONTHS= SELLERS= WORKERS=
	@$(PATHS) $(PYTHON) -m tests.decade

simulate: setup ## months of billing in a world that misbehaves: SEED, MONTHS, SUBSCRIPTIONS
	@$(PATHS) $(PYTHON) -m tests.simulation months --seed $(or $(SEED),1) --months $(or $(MONTHS),12) \
		--subscriptions $(or $(SUBSCRIPTIONS),100)

crashes: setup ## every workflow, every call, every kind of fault: ONLY, PAIRS
	@$(PATHS) $(PYTHON) -m tests.simulation crashes --only "$(ONLY)" --pairs $(or $(PAIRS),0)

mutants: setup ## small wrong changes, planted one at a time: the tests must notice each; ONLY=
	@$(PATHS) $(PYTHON) -m tests.mutants --only "$(ONLY)"

oldest: ## tests of parts on Python 3.11, the oldest that Saldo runs on
	@test build/oldest/locked -nt requirements-dev.txt || { rm -rf build/oldest && python3.11 -m venv build/oldest \
		&& build/oldest/bin/pip install -q --no-compile --require-hashes -r requirements-dev.txt && touch build/oldest/locked; }
	@build/oldest/bin/python -m pytest -n 2 --dist worksteal -m "not stack and not web"

nightly: setup ## what takes hours: 10,000 months, pairs of faults, 100,000 operations against the emulator, mutants, journeys; BAR: calls a second
	@$(MAKE) --no-print-directory oldest
	@$(PATHS) $(PYTHON) -m local.cli drift staging production --templates
	@$(PATHS) $(PYTHON) -m local.cli drift sandbox production --templates
	@$(PATHS) $(PYTHON) -m tests.simulation equal --operations 100000
	@$(PATHS) $(PYTHON) -m tests.simulation crashes --pairs 2000
	@$(PATHS) $(PYTHON) -m tests.simulation months --seed $(or $(SEED),1) --months 10000
	@SALDO_THOROUGH=1 $(PYTHON) -m pytest -q tests/property/test_usage_lines.py tests/property/test_usage_paths.py
	@SALDO_THOROUGH=1 $(PYTHON) -m pytest -q tests/functions/security
	@$(PATHS) $(PYTHON) -m tests.mutants
	@$(MAKE) --no-print-directory journeys
	@$(PATHS) $(PYTHON) -m tests.simulation engine --bar $(or $(BAR),100000)

journeys: ## seven people at work and every page, in every mode and language; pictures in build/screenshots
	@$(BOOTSTRAP) --browser
	@SALDO_THOROUGH=1 $(PYTHON) -m pytest -n 2 --dist worksteal -m "web and not stack" tests/web

audit: setup ## known flaws of dependencies, of code, secrets left lying; fails when it could not look
	@$(PATHS) $(PYTHON) -m local.scanning

judges: setup ## others' programs that look for flaws: schemathesis on the API, wapiti on the pages; EXAMPLES, SEED
	@test build/judges/locked -nt requirements-judges.txt || { rm -rf build/judges && $(PYTHON) -m venv build/judges \
		&& build/judges/bin/pip install -q --require-hashes -r requirements-judges.txt && touch build/judges/locked; }
	@$(PATHS) EXAMPLES=$(or $(EXAMPLES),50) SEED=$(or $(SEED),7) LIMIT_S=$(or $(LIMIT_S),900) \
		$(PYTHON) -m tests.judges

permissions: setup ## what the deployed policies grant and no workflow needs
	@$(PATHS) $(PYTHON) -m tests.permissions

bench: setup ## measure against the bars; build/bench.json
	@$(PATHS) $(PYTHON) -m tests.bench

cost: setup ## what an invoice costs on AWS, counted, and what it cost last; RENEW=1 when a change is meant
	@$(PATHS) $(PYTHON) -m tests.bench.counted_run $(if $(RENEW),--renew)

load: setup ## a month end and one very large account through the hosted functions: ACCOUNTS, EVENTS
	@$(PATHS) $(PYTHON) -m tests.load --accounts $(or $(ACCOUNTS),100000) --events $(or $(EVENTS),10000000)

pictures: ## pictures of the portal and of an invoice
	@$(BOOTSTRAP) --browser
	@$(PATHS) $(PYTHON) -m local.pictures

synth: setup ## templates of ENV, layers built for Lambda
	@SALDO_ENV=$(ENV) $(PYTHON) -m infra.cdk
	@echo "  build/cdk.out/$(ENV)"

deploy: setup ## deploy every stack of ENV to AWS
	@$(CDK) deploy --all --require-approval broadening

lock: setup ## pin and hash every package again
	@$(PYTHON) -m local.lock

.PHONY: help setup up down reset status test parts whole check lint style types bench cost load cases decade simulate crashes mutants oldest nightly journeys audit judges permissions pictures synth deploy lock
