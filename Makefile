# Each target works alone on a fresh machine with python3 (3.11 or newer) and make.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
BOTH := -n 2 --dist loadfile # two processes; a file's tests stay together, with what they share

.PHONY: help demo test check bench peers soak browser clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   compare learning-rate strategies on real data (a few minutes)"
	@echo "make test   run the tests"
	@echo "make check  format, lint, types, layering and tests"
	@echo "make bench  measure Stepwell beside its peers"
	@echo "make peers  install the learning-rate finders that benchmarks compare with, in .peers"
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
	$(BIN)/python -m pytest $(BOTH)

check: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(BOTH)

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

# torch first, so that nothing else chooses it. fastai asks for torchvision, which its learner never imports and whose
# CUDA build breaks the others beside a CPU torch: it goes again.
peers:
	$(PYTHON) -m venv .peers
	grep '^torch==' constraints.txt > .peers/torch.txt
	.peers/bin/python -m pip install --quiet --disable-pip-version-check -r .peers/torch.txt
	.peers/bin/python -m pip install --quiet --disable-pip-version-check -c .peers/torch.txt -r benchmarks/find/peers.txt
	.peers/bin/python -m pip uninstall --quiet --yes torchvision

soak: $(INSTALLED)
	$(BIN)/python -m pytest -m soak

# The report's tests open it in a browser; without one they are skipped, and say so.
browser:
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }

clean:
	rm -rf .venv .peers demo .mypy_cache .ruff_cache .pytest_cache
