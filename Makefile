# Every target works on a fresh clone: what it needs is made first. `make help` lists them.
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

# Salesforce's own command line, for tests/contract: 500 MB from npm. Without npm those tests are skipped, and say so.
$(SF): scripts/install_sf.sh requirements/node/package-lock.json
	@if ! command -v npm >/dev/null; then \
	  echo 'make: npm is not here, so the tests that run Salesforce'"'"'s own CLI will be skipped'; \
	elif echo 'make: installing the Salesforce CLI into .cache/sf' && scripts/install_sf.sh >.cache-sf.log 2>&1; then \
	  rm -f .cache-sf.log; touch $@; \
	else \
	  cat .cache-sf.log; rm -f .cache-sf.log; echo 'make: the tests that run it will be skipped'; \
	fi

# CumulusCI, for tests/contract: 180 MB from PyPI, which does not go together with our own packages.
$(CCI): scripts/install_cci.sh requirements/cci.txt | $(READY)
	@if echo 'make: installing CumulusCI into .cache/cci' && scripts/install_cci.sh >.cache-cci.log 2>&1; then \
	  rm -f .cache-cci.log; touch $@; \
	else \
	  cat .cache-cci.log; rm -f .cache-cci.log; echo 'make: the tests that run it will be skipped'; \
	fi

demo: $(READY) ## plan, apply and plan again on config/, against an org that runs on this machine
	@$(BIN)/python scripts/demo.py

demo-relay: $(READY) ## see data flow both ways through the relay, and an outage heal, between a local org and a local Appcues
	@$(BIN)/python scripts/demo_relay.py

test: ## everything that CI checks
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory pytest

lint: $(READY) ## style, types, import contracts, names, spelling, and the workflows
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/check_names.py
	$(BIN)/codespell
	$(BIN)/actionlint -shellcheck= -pyflakes=
	$(BIN)/zizmor --offline --pedantic --no-progress --quiet .github action.yml

format: $(READY) ## put the code into shape
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .

# The kill test runs beside the others: for most of its two minutes it waits for leases and retries. Then three on two cores: the long tests wait for other programs too.
# Of the others, what failed runs once more, alone, as CPython's own tests do: the run fails if it fails again. A failure of the kill test, which looks for lost messages, is final.
# Where Python keeps no bytecode, each process of pytest would write the assertions of all plugins anew.
pytest: export PYTHONDONTWRITEBYTECODE :=
pytest: $(READY) $(SF) $(CCI)
ifeq ($(ARGS),)
	$(BIN)/python -m pytest --quiet -p no:cacheprovider tests/relay/e2e/test_kill.py & kill_test=$$!; \
	$(BIN)/python -m pytest --quiet --numprocesses 3 --ignore tests/relay/e2e/test_kill.py || \
	{ test $$? -eq 1 && echo 'make: once more what failed, alone' && $(BIN)/python -m pytest --last-failed --last-failed-no-failures none; }; \
	others=$$?; wait $$kill_test && exit $$others
else
	$(BIN)/python -m pytest --quiet --numprocesses 3 $(ARGS)
endif

chaos: $(READY) ## the kill test with ten times the messages and the trouble
	CHAOS=10 $(BIN)/python -m pytest --quiet tests/relay/e2e/test_kill.py

mutants: $(READY) ## list small faults in a package that no test notices: ARGS="sfcode/plan tests/plan --sample 200"
	@nice $(BIN)/python -m scripts.mutants $(ARGS)

site: $(READY) ## build the documentation as a site in .cache/website/site, and read every page with axe-core
	@[ -x .cache/zensical/bin/zensical ] || { python3 -m venv .cache/zensical && .cache/zensical/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/site.txt; }
	@$(BIN)/python scripts/site.py .cache/website
	@cd .cache/website && ../zensical/bin/zensical build --strict
	@$(BIN)/python -m scripts.check_site .cache/website/site

pictures: $(READY) ## take the pictures of the documentation anew, with Chromium
	@$(BIN)/python -m scripts.pictures

journeys: $(READY) ## go 200 random journeys of a project and its org; ARGS=17-17 takes one seed
	@nice $(BIN)/python -m tests.e2e.random_journeys $(ARGS)

docs: $(READY) ## write the pages under docs/reference/, and events.yaml and .schema/ of config/, which are made from the code
	@$(BIN)/python scripts/docs.py

grammars: $(READY) ## write the tables of the local org's grammars, after one was edited
	@$(BIN)/python scripts/grammars.py

bench: $(READY) ## measure start-up and a round trip; ARGS=--save keeps the result in benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks.run $(ARGS)
	@$(BIN)/python scripts/docs.py

test-org: $(READY) ## run the probes of docs/unverified.md and the client tests against the org that SFCODE_TEST_ORG names
	@if [ -z "$$SFCODE_TEST_ORG" ]; then \
	  echo 'make test-org: no org is named, so nothing was tested. Set SFCODE_TEST_ORG to alias:NAME, env:PREFIX or an' >&2; \
	  echo 'instance URL, of a scratch org or a sandbox: client tests make things there and remove them (docs/local-org-clients.md).' >&2; \
	  exit 1; \
	fi
	$(BIN)/python -m pytest -m org $(ARGS)

evidence: $(READY) ## add what an org answered (FILE=org-evidence.json) to docs/assumptions.yaml and tests/recorded/
	@$(BIN)/python scripts/evidence.py $(or $(FILE),org-evidence.json)
	@$(BIN)/python scripts/docs.py

record: $(READY) $(SF) $(CCI) ## record the cassettes of the client tests anew, and what other programs send
	$(BIN)/python -m pytest -m vcr --record-mode=rewrite $(ARGS)
	SFCODE_RECORD=1 $(BIN)/python -m pytest -m recorded tests/contract $(ARGS)

lock: ## resolve pyproject.toml into requirements/dev.txt; ARGS=--upgrade takes newer versions
	@scripts/lock.sh $(ARGS)

clean: ## remove everything that was made
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .sfcode build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
