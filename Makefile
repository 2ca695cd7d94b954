# Two commands: `make demo` and `make test`. Both make .venv and install into it, with pinned versions.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: demo test lint types contracts unit soak bench picture clean

demo: $(VENV)/.installed
	@$(BIN)/proofsheet demo

test: lint types contracts unit

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports

# Each worker computes with one thread: with one a core in each they would wait for one another.
unit: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) -m "not soak"

# Crash safety, for long: SOAK_ROUNDS random kills of each kind.
soak: $(VENV)/.installed-dev
	SOAK_ROUNDS=$${SOAK_ROUNDS:-500} $(BIN)/python -m pytest -m soak --timeout 7200

# The figures of the README's performance section, measured here and now.
bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench

# The README's picture of the ranking screen, made by the program itself.
picture: $(VENV)/.installed
	$(BIN)/python -m tests.picture

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
