# Set-up and every check, with nothing on the machine but Python 3.11+, pip, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/round1
SHARED ?= ../shared/data

.PHONY: report test setup checks lint types contract loops tests wheel model lock bench clean

report: $(VENV)/runtime  ## the main job on the shipped sample
	$(BIN)/qingyi report data/samples/round1 -o $(OUT)

test: setup
	$(MAKE) --jobs 2 --output-sync checks wheel
	$(MAKE) tests

checks: lint types contract loops

setup: $(VENV)/dev

$(VENV)/runtime: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/dev: requirements-dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@ $(VENV)/runtime

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

contract:
	$(BIN)/lint-imports

loops:  ## compiled once, before tests side by side would each do it
	$(BIN)/python -c "from pathlib import Path; from pipeline.engine import get_ready; get_ready(Path())"

tests:  ## side by side, a file at a time to each processor
	$(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder

wheel:  ## the wheel, installed into a new environment, works outside the checkout
	PYTHON=$(CURDIR)/$(BIN)/python sh tests/wheel.sh

model: $(VENV)/runtime  ## rebuild the shipped model from data/, bit for bit
	$(BIN)/qingyi models build

bench: setup  ## speed beside the usual ways, into docs/figures/; SHARED: folder with thucnews/ and real/, the corpus where there is none
	$(BIN)/python -m benchmarks.speed $(SHARED)
	$(BIN)/python -m benchmarks.throughput $(wildcard $(SHARED)/real/messages.csv)
	$(BIN)/python -m benchmarks.clusters $(wildcard $(SHARED)/real/messages.csv)

lock:  ## after a change of dependencies in pyproject.toml
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) out dist build *.egg-info
