# Each target that runs something makes its own virtual environment in .venv first. What is
# installed there is looked at again only when pyproject.toml has changed.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test test-torch notebooks lint types bench wheel-check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

demo: .venv/demo.stamp ## a network learns to read handwritten digits; pictures of gradients in out/
	$(BIN)/python -m demos.digits
	$(BIN)/python -m demos.pictures

test: .venv/test.stamp ## all tests; they cover 98 % of all lines and branches
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --cov --cov-fail-under=98

test-torch: .venv/test.stamp .venv/torch.stamp ## networks taken over from real PyTorch modules
	$(BIN)/python -m pytest tests/test_interchange_torch.py

notebooks: .venv/notebooks.stamp ## run the course's notebooks, and compare their key figures
	$(BIN)/python -m demos.notebooks.execute

lint: .venv/test.stamp ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test.stamp ## types of both packages
	$(BIN)/mypy

bench: .venv/bench.stamp ## side by side with other libraries
	$(BIN)/python -m benchmarks

wheel-check: .venv/test.stamp ## the wheel runs the README's example, with nothing else installed
	.ci/wheel-check $(PYTHON) $(BIN)/python

clean: ## remove whatever the targets made
	rm -rf .venv build dist out *.egg-info .coverage .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/%.stamp: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@

$(BIN)/pip:
	$(PYTHON) -m venv .venv
