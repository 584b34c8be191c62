# make demo | make test | make help.     Another Python: make demo PYTHON=python3.12
PYTHON ?= python3
VENV   ?= .venv
OUT    ?= out
SITE   ?= site
JOBS   ?= 2
# More for pytest: make test ARGS="-k money"; for the measurements: make bench ARGS="--only 'start/*'"
ARGS   ?=
# make lock UPGRADE=--upgrade takes the newest versions that pyproject.toml allows
UPGRADE ?=

BIN := $(VENV)/bin
RUN := $(VENV)/.run-installed
UI  := $(VENV)/.ui-installed
DEV := $(VENV)/.dev-installed
DOCS := $(VENV)/.docs-installed
BENCH := $(VENV)/.bench-installed
AUDIT := $(VENV)-audit
LOCK := $(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --quiet --custom-compile-command 'make lock' $(UPGRADE)

# Licences that may stand beside the EUPL-1.2 in one installation: permissive, or of its own list (MPL, LGPL).
LICENCES := Apache;BSD;EUPL-1.2;ISC;LGPL-3.0-only;MIT;MPL-2.0;Mozilla Public License 2.0;PSF-2.0;Python Software Foundation
# It says so in a file only: MIT.
SILENT := axe-playwright-python

.PHONY: help demo ui test lint docs bench lock audit dist release clean
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
	$(LOCK) --extra all --extra dev --extra docs -c requirements/dev.txt -o requirements/docs.txt
	$(LOCK) --extra all --extra dev --extra bench -c requirements/dev.txt -o requirements/bench.txt
	$(LOCK) --extra audit -c requirements/dev.txt -o requirements/audit.txt

audit: $(AUDIT) $(DEV) ## licences des bibliothèques installées, puis leurs failles connues (par le réseau)
	@$(AUDIT)/bin/pip-licenses --python $(BIN)/python --from mixed --partial-match --allow-only "$(LICENCES)" --ignore-packages $(SILENT)
	@$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements/dev.txt

dist: $(AUDIT) $(DEV) ## construire dist/ : paquet, sources, liste des composants (SBOM) ; deux fois, et les mêmes octets
	@$(BIN)/python scripts/dist.py
	@PYTHONWARNINGS=ignore $(AUDIT)/bin/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --output-reproducible --of JSON -o dist/sbom.json

release: lint test dist ## tout vérifier et construire la version de pyproject.toml, sans rien publier ; ARGS="--tests" l'essaie à neuf
	@$(BIN)/python scripts/dist.py --release $(ARGS)

docs: $(DOCS) ## exécuter tous les exemples des pages, puis construire le site dans site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir $(SITE)

bench: $(BENCH) ## mesurer tout, plusieurs heures (reprend où c'était), puis écrire docs/benchmarks.md ; ARGS="--list"
	@$(BIN)/python benchmarks/run.py $(ARGS)

clean: ## supprimer .venv, out/ et les caches
	rm -rf $(VENV) $(AUDIT) $(OUT) $(SITE) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
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

$(DOCS): requirements/docs.txt requirements/dev.txt requirements/ui.txt requirements/run.txt pyproject.toml
	@$(PYTHON) scripts/install.py requirements/docs.txt --venv $(VENV)
	@touch $(RUN) $(UI) $(DEV) $@

$(AUDIT): requirements/audit.txt pyproject.toml
	@$(PYTHON) scripts/install.py requirements/audit.txt --venv $@
	@touch $@
