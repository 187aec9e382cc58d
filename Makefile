# Two commands for a fresh machine: `make demo` and `make test`. Each makes the environment itself.
PYTHON ?= python3
PY := .venv/bin/python
export FLWR_TELEMETRY_ENABLED = 0
export FLWR_DISABLE_UPDATE_CHECK = 1
export OMP_NUM_THREADS = 1   # small tensors: more threads only wait for each other

.PHONY: demo test test-slow catalog check format help

help:
	@echo "make demo        run the main study on invented hospitals, and print its table"
	@echo "make test        run the fast tests"
	@echo "make test-slow   run the slow tests"
	@echo "make catalog     run every study of the catalog, each cut small"
	@echo "make check       lint and types"

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "Medley needs Python 3.11 to 3.13; name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Making the environment in .venv (once; some minutes, mostly the download of PyTorch) ..."
	@$(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@
	@echo "The environment is ready."

demo: .venv/ready
	@$(PY) -m simulations run lscc-staging

test: .venv/ready
	@$(PY) -m pytest -m "not slow" -n 2

test-slow: .venv/ready
	@$(PY) -m pytest -m slow

catalog: .venv/ready
	@$(PY) -m simulations all --quick

check: .venv/ready
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

format: .venv/ready
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .
