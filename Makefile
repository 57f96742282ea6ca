# Each target works alone on a fresh machine with python3 (3.11 or newer) and make.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: help demo test check bench soak browser clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   compare learning-rate strategies on real data (about two minutes)"
	@echo "make test   run the tests"
	@echo "make check  format, lint, types, layering and tests"
	@echo "make bench  measure Stepwell beside its peers"
	@echo "make soak   the slow statistical and kill tests"
	@echo "make browser  install Chromium for the tests of the report"

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable ".[all]" --group dev
	@touch $@

demo: $(INSTALLED)
	$(BIN)/stepwell compare digits-cnn --out demo

test: $(INSTALLED)
	$(BIN)/python -m pytest

check: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

soak: $(INSTALLED)
	$(BIN)/python -m pytest -m soak

# The report's tests open it in a browser; without one they are skipped, and say so.
browser:
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }

clean:
	rm -rf .venv demo .mypy_cache .ruff_cache .pytest_cache
