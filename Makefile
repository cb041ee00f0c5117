# Each target that runs something makes its own virtual environment in .venv first. What is
# installed there is looked at again only when pyproject.toml has changed.

PYTHON ?= python3
# Which tests, if not all: make test-lowest TESTS=tests/test_value.py
TESTS ?=
# Options of the coverage report, which takes a third more time: make test COVERAGE=--cov
COVERAGE ?=
BIN := .venv/bin
# Tests of compiled functions, which run a second time without Numba
COMPILED := $(addprefix tests/test_,compile.py jit.py batching.py passes.py tracing.py \
	array_executor.py random_programs.py)

.PHONY: help demo test test-lowest test-torch notebooks docs lint types bench wheel-check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

demo: .venv/demo.stamp ## a network learns to read handwritten digits; pictures of gradients in out/
	$(BIN)/python -m demos.digits
	$(BIN)/python -m demos.pictures

test: .venv/test.stamp ## all tests, with Numba and without
	OPENBLAS_NUM_THREADS=1 XLA_FLAGS=--xla_backend_optimization_level=0 \
		$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile $(COVERAGE)
	OPENBLAS_NUM_THREADS=1 XLA_FLAGS=--xla_backend_optimization_level=0 \
		$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --without-numba $(COMPILED)

test-lowest: .venv-lowest/stamp ## the tests, with the oldest versions that pyproject.toml allows
	OPENBLAS_NUM_THREADS=1 .venv-lowest/bin/python -m pytest --numprocesses=auto --dist=loadfile $(TESTS)

test-torch: .venv/test.stamp .venv/torch.stamp ## networks taken over from real PyTorch modules
	$(BIN)/python -m pytest tests/test_interchange_torch.py tests/test_coming_from_torch.py

notebooks: .venv/notebooks.stamp ## run the course's notebooks, and compare their key figures
	$(BIN)/python -m demos.notebooks.execute

docs: .venv/docs.stamp ## the documentation as a site in site/, which opens without a network
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

lint: .venv/test.stamp ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test.stamp ## types of both packages, and of a user's code
	$(BIN)/mypy

bench: .venv/bench.stamp ## side by side with other libraries
	$(BIN)/python -m benchmarks

wheel-check: .venv/test.stamp ## the wheel runs the README's example, with nothing else installed
	.ci/wheel-check $(PYTHON) $(BIN)/python

clean: ## remove whatever the targets made
	rm -rf .venv .venv-lowest build dist out site *.egg-info .coverage .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/%.stamp: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@

.venv-lowest/stamp: pyproject.toml .venv/test.stamp
	$(PYTHON) -m venv .venv-lowest
	$(BIN)/python .ci/lower_bounds.py test >.venv-lowest/constraints.txt
	.venv-lowest/bin/pip install --quiet --disable-pip-version-check \
		--constraint .venv-lowest/constraints.txt --editable '.[test]'
	touch $@

$(BIN)/pip:
	$(PYTHON) -m venv .venv
