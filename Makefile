# `make demo` and `make test` set up all they need in a virtual environment of their own. Nothing here needs GNU's tools
# or a make newer than macOS's 3.81.

# the interpreter that the environment is made with, the environment's folder, more arguments for pytest
PYTHON = python3
VENV = .venv
ARGS =
# Most tests wait for a server or a client: two at a time, a module in one process. `make test PARALLEL=` for one.
PARALLEL = -n 2 --dist loadscope

BIN = $(VENV)/bin
CLIENTS = tests/functional/clients tests/functional/nodebus tests/conformance/sio09

# `make bench`: how often, what of tests/benchmarks/peers.py (empty: what is usual there), more arguments (--by-cpu)
ROUNDS = 5
WORKLOADS = all
PEERS =
BENCH =

# Stamps: an environment is made anew when another PYTHON is asked for, filled again when setup.cfg changes.
MADE = $(VENV)/.made-by-$(subst /,_,$(PYTHON))
FOR_TEST = $(MADE)-for-test
FOR_WORK = $(MADE)-for-work
FOR_DEMO = $(MADE)-for-demo
NODE_FOR_TEST = $(patsubst %/package-lock.json,%/node_modules/.stamp,$(wildcard $(addsuffix /package-lock.json,$(CLIENTS))))
NODE_FOR_DEMO = $(patsubst %/package-lock.json,%/node_modules/.stamp,$(wildcard demo/package-lock.json))

.NOTPARALLEL:
.PHONY: help demo test test-core bench bench-growth lint format dist clean

help:
	@echo 'make demo       the demo site, with the address to open'
	@echo 'make test       lint, then all tests with branch coverage'
	@echo 'make test-core  the tests that need neither a browser nor Node'
	@echo 'make bench      speed beside other servers: ROUNDS=5 WORKLOADS=A,A16 PEERS=node,plain BENCH=--by-cpu'
	@echo 'make bench-growth'
	@echo '                the cost of an event as clients and rooms get more'
	@echo 'make lint       ruff, mypy, import-linter'
	@echo 'make format     ruff, writing'
	@echo 'make dist       sdist and wheel, in dist/'
	@echo 'make clean      remove what these made'
	@echo 'with PYTHON=$(PYTHON) VENV=$(VENV) ARGS=$(ARGS) (ARGS goes to pytest: ARGS="-k polling")'

demo: $(FOR_DEMO) $(NODE_FOR_DEMO)
	$(BIN)/gearbox --relative serve -c demo/development.ini

test: lint $(NODE_FOR_TEST) $(NODE_FOR_DEMO)
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term $(ARGS)

test-core: $(FOR_TEST)
	$(BIN)/python -m pytest $(PARALLEL) -m 'not browser and not node and not once' $(ARGS)

# No part of CI: what it prints depends on what else the machine does. It sets up all it needs in .bench or $BENCH_HOME.
bench:
	$(PYTHON) -m tests.benchmarks.bench --rounds $(ROUNDS) --workloads '$(WORKLOADS)' $(if $(PEERS),--peers '$(PEERS)') $(BENCH)

bench-growth:
	$(PYTHON) -m tests.benchmarks.growth $(BENCH)

lint: $(FOR_WORK)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(FOR_WORK)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

dist: $(FOR_WORK)
	rm -rf build dist *.egg-info
	$(BIN)/python -m build

clean:
	rm -rf build dist *.egg-info .bench .coverage .coverage.* htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf demo/node_modules $(addsuffix /node_modules,$(CLIENTS))
	find tgsio_middleware tests demo -name __pycache__ -prune -exec rm -rf {} +
	@for venv in .venv .venv-* $(VENV); do \
		if test -f "$$venv/pyvenv.cfg"; then echo "rm -rf $$venv"; rm -rf "$$venv"; fi; \
	done

# `--clear` empties the folder, so it must be an environment already or not be there.
$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo '$(PYTHON) is missing or older than Python 3.10: make PYTHON=python3.13 ...' >&2; exit 1; }
	@test ! -e $(VENV) || test -f $(VENV)/pyvenv.cfg || \
		{ echo '$(VENV) is there and no virtual environment: make VENV=<another folder> ...' >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install -qq --upgrade pip
	@touch $@

$(FOR_TEST): $(MADE) setup.cfg
	$(BIN)/python -m pip install -qq --editable '.[test]'
	@touch $@

# mypy sees what is installed: always the tests' packages too, or its verdict would depend on what ran before.
$(FOR_WORK): $(MADE) setup.cfg
	$(BIN)/python -m pip install -qq --editable '.[test,lint]'
	@touch $@

$(FOR_DEMO): $(MADE) setup.cfg
	$(BIN)/python -m pip install -qq --editable '.[demo]'
	@touch $@

# No npm, or no network, is no failure here: the demo's page then loads its clients from a CDN, and the tests that need
# Node say what is missing.
%/node_modules/.stamp: %/package-lock.json
	@if ! command -v npm >/dev/null; then \
		echo 'npm is missing: $* goes without its JavaScript clients'; \
	elif npm ci --prefix $* --ignore-scripts --prefer-offline --no-audit --no-fund; then \
		touch $@; \
	else \
		echo 'npm ci failed: $* goes without its JavaScript clients'; \
	fi
