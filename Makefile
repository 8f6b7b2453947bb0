# One virtual environment in .venv; every target sets up what it needs and is quick the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(1) >$(VENV)/pip.log 2>&1 || { \
  echo "Not all libraries could be installed. Is there a network, and a compiler where a library has no wheel for this machine? What pip says: $(VENV)/pip.log" >&2; exit 1; }
COMPILE = $(BIN)/python -m compileall -qq ser_classic $(VENV)/lib || true  # some libraries hold files of other Pythons
# nproc would take their word for the number of cores
JOBS ?= $(shell unset OMP_NUM_THREADS OMP_THREAD_LIMIT; nproc 2>/dev/null || echo 2)
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1

.DEFAULT_GOAL := help
.SILENT:
.PRECIOUS: $(VENV)/.%
.PHONY: sound help install bench deep opensmile quick models docs test lint format speed torture clean

help:  ## Show this help
	grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

# Compiled at installation: where Python may not write bytecode, every command would compile all it imports
sound:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "$(PYTHON) is absent or older than Python 3.11: install a later one, and name it: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: install its module venv (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	[ ! -e $(VENV) ] || $(BIN)/python -c 'import pip' 2>/dev/null || { \
	  echo "$(VENV) is broken, its Python or pip does not start: remove it with make clean, then give this command again" >&2; exit 1; }

$(BIN)/ser-classic: pyproject.toml constraints.txt | sound
	echo "Installing the package and its libraries into $(VENV): a minute or two"
	$(PYTHON) -m venv $(VENV)
	$(call PIP,-e .)
	$(COMPILE)
	touch $@

$(VENV)/.%: $(BIN)/ser-classic
	echo "Installing what '$*' needs into $(VENV)"
	$(call PIP,-e '.[$*]')
	$(COMPILE)
	touch $@

install: $(BIN)/ser-classic  ## Make .venv and install the package
	echo "Installed. Try: $(BIN)/ser-classic --help"

bench: $(BIN)/ser-classic  ## Run all suites that need no extra, on the corpora found
	$(BIN)/ser-classic bench classic flagship leaky recipes unseen_text cross few degraded seeds field --jobs $(JOBS)

deep: $(VENV)/.deep  ## Train the networks (installs PyTorch; 90 min on 4 cores)
	$(BIN)/ser-classic bench deep tutorials --jobs $(JOBS)

opensmile: $(VENV)/.opensmile  ## Run models on openSMILE's features (research, education)
	$(BIN)/ser-classic bench opensmile --jobs $(JOBS)

quick: $(BIN)/ser-classic  ## Run a small benchmark on synthetic voices, into quick/
	$(BIN)/ser-classic bench quick --results quick --jobs $(JOBS)

models: $(BIN)/ser-classic  ## Train the built-in predictor again (needs four corpora)
	$(BIN)/python benchmarks/built_in.py ser_classic/data

docs: $(VENV)/.docs  ## Build the documentation and its tutorials into site/ (2 min)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict >$(VENV)/docs.log 2>&1 || { \
	  grep -v '^INFO' $(VENV)/docs.log >&2; exit 1; }  # --quiet would count no warning
	echo "site/index.html"

test: $(VENV)/.dev  ## Run all tests (4 min on 2 cores)
	$(BIN)/pytest -n $(JOBS) --dist worksteal

lint: $(VENV)/.dev  ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

speed: $(VENV)/.dev  ## Time extraction, tuning, prediction, reports; compare
	$(BIN)/python benchmarks/speed/extraction.py
	$(BIN)/python benchmarks/speed/tuning.py
	$(BIN)/python benchmarks/speed/prediction.py
	$(BIN)/python benchmarks/speed/waiting.py

torture: $(VENV)/.dev  ## Kill benches, extractions, downloads 100 times (10 min)
	$(BIN)/python tests/torture.py --kills 100

clean:  ## Remove the virtual environment and tool caches
	rm -rf $(VENV) .pytest_cache .ruff_cache *.egg-info
