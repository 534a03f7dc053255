# Every target works on a fresh clone, and first installs what it needs. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh

BIN := .venv/bin
READY := .venv/.ready
SF := .cache/sf/.ready
CCI := .cache/cci/.ready
ARGS ?=

.PHONY: help chaos journeys site pictures demo demo-relay test lint format pytest mutants docs grammars bench test-org evidence record lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

$(READY): pyproject.toml requirements/dev.txt scripts/venv.sh
	@scripts/venv.sh
	@touch $@

# The Salesforce CLI for tests/contract: 500 MB from npm. Without npm, the tests that run it are skipped with a message.
$(SF): scripts/install_sf.sh requirements/node/package-lock.json
	@if ! command -v npm >/dev/null; then \
	  echo 'make: npm is not installed, so the tests that run the Salesforce CLI will be skipped'; \
	elif echo 'make: installing the Salesforce CLI into .cache/sf' && scripts/install_sf.sh >.cache-sf.log 2>&1; then \
	  rm -f .cache-sf.log; touch $@; \
	else \
	  cat .cache-sf.log; rm -f .cache-sf.log; echo 'make: the tests that run it will be skipped'; \
	fi

# CumulusCI for tests/contract: 180 MB from PyPI. Its packages conflict with those of sfcode, so it has a separate environment.
$(CCI): scripts/install_cci.sh requirements/cci.txt | $(READY)
	@if echo 'make: installing CumulusCI into .cache/cci' && scripts/install_cci.sh >.cache-cci.log 2>&1; then \
	  rm -f .cache-cci.log; touch $@; \
	else \
	  cat .cache-cci.log; rm -f .cache-cci.log; echo 'make: the tests that run it will be skipped'; \
	fi

demo: $(READY) ## plan, apply and plan again with config/, against a local org
	@$(BIN)/python scripts/demo.py

demo-relay: $(READY) ## send data both ways through the relay, during an outage too
	@$(BIN)/python scripts/demo_relay.py

test: ## run every check of CI
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory pytest

lint: $(READY) ## check style, types, imports, names, spelling and workflows
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/check_names.py
	$(BIN)/codespell
	$(BIN)/actionlint -shellcheck= -pyflakes=
	$(BIN)/zizmor --offline --pedantic --no-progress --quiet .github action.yml

format: $(READY) ## format the code, and fix what ruff can fix
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .

# The kill test runs in parallel with the other tests, since it waits for leases and retries for most of its two minutes. Four processes use two cores, since long
# tests also wait for other programs.
# Failed tests run a second time, alone, as in CPython's own test suite; the run fails if one fails again. The kill test looks for lost messages, so it is not repeated.
# PYTHONDONTWRITEBYTECODE is unset, since each process of pytest would otherwise rewrite the assertions of all plugins.
pytest: export PYTHONDONTWRITEBYTECODE :=
pytest: $(READY) $(SF) $(CCI)
ifeq ($(ARGS),)
	$(BIN)/python -m pytest --quiet -p no:cacheprovider tests/relay/e2e/test_kill.py & kill_test=$$!; \
	$(BIN)/python -m pytest --quiet --numprocesses 4 --ignore tests/relay/e2e/test_kill.py || \
	{ test $$? -eq 1 && echo 'make: running the failed tests again, alone' && $(BIN)/python -m pytest --last-failed --last-failed-no-failures none; }; \
	others=$$?; wait $$kill_test && exit $$others
else
	$(BIN)/python -m pytest --quiet --numprocesses 4 $(ARGS)
endif

chaos: $(READY) ## run the kill test with ten times the messages and interruptions
	CHAOS=10 $(BIN)/python -m pytest --quiet tests/relay/e2e/test_kill.py

mutants: $(READY) ## list mutations that no test finds: ARGS="sfcode/plan tests/plan"
	@nice $(BIN)/python -m scripts.mutants $(ARGS)

site: $(READY) ## build the documentation site, and check every page with axe-core
	@[ -x .cache/zensical/bin/zensical ] || { python3 -m venv .cache/zensical && .cache/zensical/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/site.txt; }
	@$(BIN)/python scripts/site.py .cache/website
	@cd .cache/website && ../zensical/bin/zensical build --strict
	@$(BIN)/python -m scripts.check_site .cache/website/site

pictures: $(READY) ## update the pictures of the documentation, with Chromium
	@$(BIN)/python -m scripts.pictures

journeys: $(READY) ## test 200 random sequences of changes; ARGS=17-17 runs one seed
	@nice $(BIN)/python -m tests.e2e.random_journeys $(ARGS)

docs: $(READY) ## write docs/reference/, config/events.yaml and config/.schema/
	@$(BIN)/python scripts/docs.py

grammars: $(READY) ## write the parser tables of the local org
	@$(BIN)/python scripts/grammars.py

bench: $(READY) ## measure speed and memory; ARGS=--save updates RESULTS.md
	@$(BIN)/python -m benchmarks.run $(ARGS)
	@$(BIN)/python scripts/docs.py

test-org: $(READY) ## run probes and client tests against the org SFCODE_TEST_ORG
	@if [ -z "$$SFCODE_TEST_ORG" ]; then \
	  echo 'make test-org: SFCODE_TEST_ORG is not set, so nothing was tested. Set it to alias:NAME, env:PREFIX or the' >&2; \
	  echo 'instance URL of a scratch org or a sandbox: client tests create and delete data there (docs/local-org-clients.md).' >&2; \
	  exit 1; \
	fi
	$(BIN)/python -m pytest -m org $(ARGS)

evidence: $(READY) ## add the answers of an org (FILE=) to the assumptions
	@$(BIN)/python scripts/evidence.py $(or $(FILE),org-evidence.json)
	@$(BIN)/python scripts/docs.py

record: $(READY) $(SF) $(CCI) ## record the cassettes and the requests of other programs again
	$(BIN)/python -m pytest -m vcr --record-mode=rewrite $(ARGS)
	SFCODE_RECORD=1 $(BIN)/python -m pytest -m recorded tests/contract $(ARGS)

lock: ## lock the dependencies; ARGS=--upgrade selects newer versions
	@scripts/lock.sh $(ARGS)

clean: ## delete all files that the other targets create
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .sfcode build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
