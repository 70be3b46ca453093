# Every target sets up what it needs. GNU make 3.81 (the one on macOS) is enough.
# Windows has no make: README.md says which `python -m aicourse` command does the same.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# A lesson, a test and a command are processes of their own: what one has compiled, the next ones read. Where a
# machine forbids that (containers often do), each would compile pandas and all else anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
AICOURSE := $(VENV_PYTHON) -m aicourse
INSTALLED := $(VENV)/.installed
UV := $(shell command -v uv 2>/dev/null)

# Which Python .venv is made with: the first of these that is 3.11 or newer. Or name one: make setup PYTHON=python3.12
PYTHONS = $(or $(PYTHON),python3.13 python3.12 python3.11 python3.14 python3)

.PHONY: help setup course lab live test test-newest test-all lint format record bench grade-demo lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: $(INSTALLED)  ## Make .venv and install what requirements.lock names

course: $(INSTALLED)  ## Run every lesson on recorded replies; report in build/course/index.html
	@AICOURSE_REPLAY=$${AICOURSE_REPLAY:-only} $(AICOURSE) run --all

lab: $(INSTALLED)  ## Open JupyterLab at the first lesson
	@$(VENV_PYTHON) -m jupyterlab notebooks/00-start-here.ipynb

live: $(INSTALLED)  ## Run every lesson against the embedded model (fetched once)
	@$(AICOURSE) model pull
	@$(AICOURSE) run --all --live

test: $(INSTALLED)  ## Everything a change must pass: style, types, tests, every notebook on its recordings
	@$(AICOURSE) test

# An environment of its own for a second Python: build/python-3.13, made as .venv is.
WITH_PYTHON = version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') && \
	venv="build/python-$$version" && printf '\n== Python %s\n' "$$version" && \
	$(MAKE) --no-print-directory setup VENV="$$venv" PYTHON="$$python"

test-newest: $(INSTALLED)  ## Lessons on the newest Python here, unless .venv is that already
	@set -e; python=$$($(VENV_PYTHON) -m aicourse.tooling.course.pythons newest); \
	if "$$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] in sys.argv[1])' \
		"$$($(VENV_PYTHON) --version)"; \
	then $(WITH_PYTHON) && "$$venv/bin/python" -m aicourse validate --once --cells; \
	else echo "Tested on the newest Python here: $$python"; fi

test-all: $(INSTALLED)  ## `make test` and all long checks, on the oldest and the newest Python here; other clients
	@failed=; for python in $$($(VENV_PYTHON) -m aicourse.tooling.course.pythons); do \
	{ $(WITH_PYTHON) && "$$venv/bin/python" -m aicourse test --all; } || failed="$$failed $$python"; done; \
	$(VENV_PYTHON) tests/interop || failed="$$failed tests/interop"; \
	test -z "$$failed" || { echo "FAILED:$$failed" >&2; exit 1; }

lint: $(INSTALLED)  ## The quick half of `make test`: style, types, notebook rules
	@$(AICOURSE) test style format types notebooks

format: $(INSTALLED)  ## Format code and notebooks, sort imports, mend what ruff can mend
	@$(VENV_PYTHON) -m ruff check --quiet --fix-only . && $(VENV_PYTHON) -m ruff format .

record: $(INSTALLED)  ## Record the replies that lessons need and do not have yet
	@$(AICOURSE) record --missing

bench: $(INSTALLED)  ## Measure speed against stock tools; results in build/bench.json
	@$(VENV_PYTHON) tests/benchmarks

# `grade` ends with 1 when a submission could not be graded, and one of the twenty is no notebook.
grade-demo: $(INSTALLED)  ## Release and grade homework of simulated students; prints where the class reports are
	@for homework in hw01 hw02 hw03 hw04 hw05 hw06; do set -e; grades=build/grade-demo/grades/$$homework; \
	printf '\n== %s\n' "$$homework"; \
	$(AICOURSE) homework build "$$homework"; \
	$(AICOURSE) homework samples "$$homework" --out "build/grade-demo/submissions/$$homework"; \
	$(AICOURSE) grade "$$homework" "build/grade-demo/submissions/$$homework" --out "$$grades" || true; \
	$(AICOURSE) gradebook build "$$grades"; \
	$(AICOURSE) feedback "$$grades"; \
	$(AICOURSE) similarity "$$homework" "$$grades"; \
	$(AICOURSE) gradebook report "$$grades" $(if $(CI),,--open); \
	done

lock:  ## Write requirements.lock anew from pyproject.toml (needs uv; UPGRADE=--upgrade takes newer releases)
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-config --no-emit-index-url --custom-compile-command "make lock" --quiet $(UPGRADE) \
		--output-file requirements.lock

clean:  ## Delete what the other targets wrote, but neither .venv nor the models
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find aicourse tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +

ifdef UV
MAKE_VENV = uv venv --quiet --python "$${python:->=3.11}" $(VENV)
INSTALLER = sys
INSTALL = uv pip install --quiet --python $(VENV_PYTHON)
else
MAKE_VENV = { test -n "$$python" || { echo "No Python 3.11 or newer found ($(PYTHONS))." >&2; exit 1; }; \
	"$$python" -m venv $(VENV); }
INSTALLER = pip
INSTALL = $(VENV_PYTHON) -m pip --disable-pip-version-check --no-input --quiet install
endif

# An environment whose Python and installer still start is kept; a set-up that was killed is taken up again. The
# project is built without isolation, because its build backend is in the lock: nothing is fetched that the lock
# does not name, and nothing at all the second time.
$(INSTALLED): requirements.lock pyproject.toml
	@$(VENV_PYTHON) -c 'import $(INSTALLER)' 2>/dev/null || { rm -rf $(VENV); \
	python=$$(for name in $(PYTHONS); do "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		2>/dev/null && echo "$$name" && break; done); $(MAKE_VENV); }
	@echo "Installing into $(VENV) what requirements.lock names: a few minutes the first time."
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(INSTALLED)
