# make demo | make test | make help.     Another Python: make demo PYTHON=python3.12
PYTHON ?= python3
VENV   ?= .venv
OUT    ?= out
JOBS   ?= 2
# More for pytest: make test ARGS="-k money"; for the measurements: make bench ARGS="--only 'start/*'"
ARGS   ?=
# make lock UPGRADE=--upgrade takes the newest versions that pyproject.toml allows
UPGRADE ?=

BIN := $(VENV)/bin
RUN := $(VENV)/.run-installed
UI  := $(VENV)/.ui-installed
DEV := $(VENV)/.dev-installed
BENCH := $(VENV)/.bench-installed
LOCK := $(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --quiet --custom-compile-command 'make lock' $(UPGRADE)

.PHONY: help demo ui test lint bench lock clean
.DELETE_ON_ERROR:

help: ## cette aide
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(RUN) ## installer, puis résoudre propositions-2025 et écrire le plan dans out/
	@$(BIN)/allocator solve propositions-2025 --out $(OUT)

ui: $(UI) ## installer, puis ouvrir l'application dans le navigateur
	@$(BIN)/streamlit run ui/streamlit_app.py

test: $(DEV) ## installer, puis passer tous les tests
	@$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

lint: $(DEV) ## style, types, sens des imports, mots
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_glossary.py

lock: $(DEV) ## refaire requirements/*.txt, avec leurs empreintes, d'après pyproject.toml
	$(LOCK) -o requirements/run.txt
	$(LOCK) --extra ui -c requirements/run.txt -o requirements/ui.txt
	$(LOCK) --extra ui --extra postgres --extra risk --extra signin -c requirements/ui.txt -o requirements/server.txt
	$(LOCK) --extra all --extra dev -c requirements/server.txt -o requirements/dev.txt
	$(LOCK) --extra all --extra dev --extra bench -c requirements/dev.txt -o requirements/bench.txt

bench: $(BENCH) ## mesurer tout, plusieurs heures (reprend où c'était), puis écrire docs/benchmarks.md ; ARGS="--list"
	@$(BIN)/python benchmarks/run.py $(ARGS)

clean: ## supprimer .venv, out/ et les caches
	rm -rf $(VENV) $(OUT) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: nothing is installed again until a lock or pyproject.toml changes.
$(RUN): requirements/run.txt pyproject.toml
	@$(PYTHON) scripts/install.py requirements/run.txt --venv $(VENV)
	@touch $@

# Each lock holds the one before, version for version.
$(UI): requirements/ui.txt requirements/run.txt pyproject.toml
	@$(PYTHON) scripts/install.py requirements/ui.txt --venv $(VENV)
	@touch $(RUN) $@

$(DEV): requirements/dev.txt requirements/server.txt requirements/ui.txt requirements/run.txt pyproject.toml
	@$(PYTHON) scripts/install.py requirements/dev.txt --venv $(VENV)
	@touch $(RUN) $(UI) $@

$(BENCH): requirements/bench.txt requirements/dev.txt requirements/server.txt requirements/ui.txt requirements/run.txt pyproject.toml
	@$(PYTHON) scripts/install.py requirements/bench.txt --venv $(VENV)
	@touch $(RUN) $(UI) $(DEV) $@
