# Two commands: `make demo` shows the page with sample data, `make test` passes every check.
# Works with or without uv; needs Python 3.11 or newer and nothing else.

# The first of these that is new enough; looked for only when something is set up.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python3.14,$(if $(shell $(name) -c \
	'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
CHECKED := client collector dashboard schema sample_traces tests benchmarks examples

.PHONY: demo up test lint unit chaos load axe bench screenshots samples build clean

demo: .venv/.ready
	$(BIN)/spandeck demo $(ARGS)

up: .venv/.ready
	$(BIN)/spandeck up $(ARGS)

test: .venv/.ready lint
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/.ready
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar -q schema dashboard

unit: .venv/.ready
	$(BIN)/pytest -m unit

chaos: .venv/.ready
	$(BIN)/pytest -m chaos

load: .venv/.ready
	$(BIN)/pytest -m load

axe: .venv/.ready
	$(BIN)/pytest -m axe

bench: .venv/.ready
	$(BIN)/python -m benchmarks $(ARGS)

screenshots: .venv/.ready
	$(BIN)/python docs/take_screenshots.py

samples: .venv/.ready
	$(BIN)/python sample_traces/generate.py

build: .venv/.ready
	$(BIN)/python -m build

clean:
	rm -rf .venv dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/.ready: pyproject.toml constraints.txt
	$(if $(strip $(PYTHON)),,$(error Spandeck needs Python 3.11 or newer: install it, or run make PYTHON=/path/to/python3))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Spandeck needs Python 3.11 or newer, and $(PYTHON) is not: run make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Setting up .venv: the first time downloads about 260 MB and takes 1 to 3 minutes ..."
ifneq ($(UV),)
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) .venv
	$(UV) pip install --python $(BIN)/python --group dev --constraint constraints.txt --editable '.[server]'
else
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --progress-bar on --group dev --constraint constraints.txt --editable '.[server]'
endif
	@touch $@
