# `make` alone prints this list.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
GOALS := src/heliograph/evaluation/goals.json

.DEFAULT_GOAL := help
.PHONY: help setup demo test serve lint bench peers eval train baseline conformance lock hub samples skills reference dist clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.ready ## the virtual environment, with pinned and hashed packages

.venv/.ready: requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Heliograph needs Python 3.11 or later; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src >/dev/null
	@touch $@

demo: setup ## a receipt and an invoice become JSON and annotated pictures
	$(BIN)/heliograph demo --out out/demo

serve: setup ## the server on http://127.0.0.1:8000
	$(BIN)/heliograph serve

test: setup ## every test that this machine can run
	$(BIN)/pytest -q -n 2 --dist loadfile

lint: setup ## ruff and strict types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/basedpyright

bench: setup ## speed and memory, against peers in the same run where they are installed
	$(BIN)/python -m bench

peers: .venv-peers/.ready ## what bench measures against, in an environment of its own (tesseract-ocr is the system's)

.venv-peers/.ready: requirements/peers.txt
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r requirements/peers.txt
	@touch $@

eval: setup ## accuracy on labelled sets (DATA=folder), beside the goals
	$(BIN)/heliograph eval $(or $(DATA),../shared/data) --as-images --report out/eval --json out/eval/numbers.json $(if $(DATA),,--bar $(GOALS))

train: setup ## the confidence of answers anew, from labelled documents (DATA="folder ...", PAGES=folder that keeps what was read)
	set -e; for folder in $(or $(DATA),../shared/data); do $(BIN)/heliograph eval $$folder --pages $(or $(PAGES),out/pages) >/dev/null; done
	$(BIN)/python -m training $(or $(DATA),../shared/data) --pages $(or $(PAGES),out/pages)

baseline: setup ## measure accuracy and keep it as what later work is compared with
	$(BIN)/heliograph eval $(or $(DATA),../shared/data) --json src/heliograph/evaluation/baseline.json

conformance: setup ## the official clients, unchanged, and docs/conformance.md
	HELIOGRAPH_CONFORMANCE_REPORT=docs/conformance.md $(BIN)/pytest -q tests/conformance

samples: setup ## the sample receipt and invoice, drawn anew
	$(BIN)/python tools/draw_samples.py

skills: setup ## the examples of the preinstalled skills, drawn anew
	$(BIN)/python tools/draw_skills.py

reference: setup ## the pages of settings, commands and tools anew, from the code
	$(BIN)/python tools/reference.py

dist: setup ## the wheel, in dist/
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

lock: ## new lock files (needs uv)
	requirements/lock.sh

hub: .venv-hub/.ready ## the domains' schemas anew, from the vlmrun-hub package
	.venv-hub/bin/python tools/hub.py src/heliograph/extraction/domains/hub

.venv-hub/.ready: requirements/conformance.lock
	test -x .venv-hub/bin/python || $(PYTHON) -m venv .venv-hub
	.venv-hub/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/conformance.lock
	@touch $@

clean: ## forget what was built
	rm -rf .venv .venv-* out dist build
