# `make demo` and `make test` set up everything they need in .venv; `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo_output
# found by rule and not by list: any change of a source makes the installed copy old
SOURCES := $(shell find app canonical_model exporters importers lems_types solvers spinnaker2 nest -type f \
	-not -path '*/__pycache__/*' 2>/dev/null) __init__.py __main__.py README.md

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz lint types docs benchmarks clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.package-plot  ## convert a LEMS file to SpiNNaker2, run it on the emulator, draw it
	@sh .ci/system demo
	rm -rf $(DEMO)
	$(BIN)/interspike convert fixtures/lems/izhikevich_network.xml --to spinnaker2 \
		-o $(DEMO)/izhikevich_network
	$(BIN)/interspike run $(DEMO)/izhikevich_network --plot $(DEMO)/spikes.png
	@if command -v qemu-system-arm >/dev/null && command -v arm-none-eabi-gcc >/dev/null; then \
		echo '$(BIN)/interspike run $(DEMO)/izhikevich_network --backend qemu'; \
		$(BIN)/interspike run $(DEMO)/izhikevich_network --backend qemu; \
	else \
		echo 'qemu-system-arm or arm-none-eabi-gcc is not installed: ran on the host only'; \
	fi
	@echo 'The picture is $(DEMO)/spikes.png'

test: $(VENV)/.package-test  ## lint, check types and run every test
	@sh .ci/system test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd / && '$(CURDIR)/$(BIN)/mypy' --config-file '$(CURDIR)/pyproject.toml' \
		--cache-dir '$(CURDIR)/.mypy_cache' -p interspike
	$(BIN)/pytest -n 2

fuzz: $(VENV)/.package-test  ## run the random tests on examples that no run had before
	$(BIN)/pytest -n 2 -m hypothesis --hypothesis-profile=fuzz

lint: $(VENV)/.package-test  ## ruff: check and format in place
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.package-test  ## print the pages that come from tables in the code
	$(BIN)/interspike formats --markdown > docs/formats.md

benchmarks: $(VENV)/.package-test  ## measure, with the peers in the same run
	$(BIN)/python benchmarks/bench_cli.py
	$(BIN)/python benchmarks/bench_network.py

clean:  ## remove everything that can be made again
	rm -rf $(VENV) $(DEMO) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# the environment; ensurepip is a package of its own on Debian
$(VENV)/.created:
	@sh .ci/system venv '$(PYTHON)'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'interspike needs Python 3.11 or newer: make PYTHON=python3.12 ...' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'setuptools>=77'
	@touch $@

# dependencies change seldom, the package often: it is installed without them, as an ordinary
# install, because type checkers cannot follow the editable one
$(VENV)/.requires-%: pyproject.toml $(VENV)/.created
	rm -rf build
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation '.[$*]'
	@touch $@

$(VENV)/.package-%: $(VENV)/.requires-% setup.py $(SOURCES)
	rm -rf build
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
		--no-deps --force-reinstall .
	@touch $@

.PRECIOUS: $(VENV)/.requires-%
