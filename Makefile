# Asks of the machine: Python 3.11 or later, and make. Everything else goes into .venv.
#   make run     five nodes on loopback, a ping across the longest route
#   make test    all tests: the house rules, ruff, mypy, coverage of core/ and wire/, the suites
# Another interpreter: make test PYTHON=python3.12      More arguments: make test ARGS="-k handshake -x"
# Nothing compiled, and what was is left aside: NEARNET_PURE=1 make test

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Two processes: tests/conftest.py says which tests are whose.
PYTEST := $(BIN)/python -m pytest -n 2
FLOORS := .venv-floors
PROTO := .venv-proto
FUZZ_SECONDS ?= 600
SOAK_SECONDS ?= 3600
SEEDS ?= 0..1999

.PHONY: run test quick nightly lint compiled bench explore fuzz soak docs proto vendor floors clean

run: $(STAMP)
	$(BIN)/nearnet localnet --nodes 5 $(ARGS)

test: $(STAMP)
	$(PYTEST) -m "not nightly" $(ARGS)

quick: $(STAMP)
	$(PYTEST) -m "not slow and not nightly" $(ARGS)

nightly: $(STAMP)
	$(PYTEST) $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/mypy

# The hottest modules as C, made anew where a source has changed; until then the sources count.
compiled: $(STAMP)
	$(BIN)/python scripts/compile.py

bench: compiled
	$(BIN)/python -m benchmarks $(ARGS)

# Twelve thousand seeds of the simulator, over all cores.
explore: compiled
	for scenario in chaos chaos-without-dials chaos-of-the-crowded chaos-in-protobuf chaos-of-two-dialects \
	    chaos-of-generations; do \
	  $(BIN)/nearnet sim explore $$scenario --seeds $(SEEDS) $(ARGS) || exit 1; done

# All fuzzing targets; led by coverage, of the sources, where atheris has a wheel, by chance elsewhere.
fuzz: $(STAMP)
	$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --only-binary atheris --editable '.[fuzz]' || echo "no atheris for this Python: inputs by chance" >&2
	NEARNET_PURE=1 $(BIN)/python -m fuzzing --seconds $(FUZZ_SECONDS) $(ARGS)

# An hour of real nodes with churn and traffic; what must not grow is watched.
soak: compiled
	$(BIN)/python -m soak --seconds $(SOAK_SECONDS) $(ARGS)

docs: $(STAMP)
	$(BIN)/python docs/generate.py

# The protobuf code, with a compiler whose output old and new releases of the library take; it is checked in.
proto:
	test -x $(PROTO)/bin/python || $(PYTHON) -m venv $(PROTO)
	$(PROTO)/bin/python -m pip install --quiet --disable-pip-version-check grpcio-tools==1.76.0 'setuptools<81'
	$(PROTO)/bin/python -m grpc_tools.protoc --proto_path=src --python_out=src --pyi_out=src nearnet/wire/protobuf/network.proto

# The dashboard's front-end libraries, fetched anew with npm; they are checked in.
vendor: $(STAMP)
	$(BIN)/python scripts/vendor.py

# The oldest versions that pyproject.toml allows, in an environment of their own.
floors:
	test -x $(FLOORS)/bin/python || $(PYTHON) -m venv $(FLOORS)
	$(FLOORS)/bin/python tests/floors.py > $(FLOORS)/floors.txt
	$(FLOORS)/bin/python -m pip install --quiet --disable-pip-version-check \
	  --constraint $(FLOORS)/floors.txt --editable '.[test]'
	$(FLOORS)/bin/python -m pytest -m "not slow and not nightly" $(ARGS)

clean:
	rm -rf $(VENV) $(FLOORS) $(PROTO) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage build dist

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "nearnet needs Python 3.11 or later; $(PYTHON) is not. Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	$(BIN)/python -m compileall -q src  # as pip does for what is not editable: half of a node's start
	$(BIN)/python scripts/compile.py
	touch $(STAMP)
