# What a newcomer needs: `make serve` and `make test`. Everything is installed into .venv, nothing outside this folder.
PORT ?= 8000
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench

.PHONY: serve test demo lint bench fuzz torture docs picture clean help

help:
	@echo "make serve   install, and serve on http://127.0.0.1:$(PORT)   (PORT=8001 changes it)"
	@echo "make test    install, and run the test suite"
	@echo "make demo    install, and let a network learn handwritten digits through the service"
	@echo "make lint    style and types"
	@echo "make bench   install the peers in an environment of their own, and measure side by side with them"
	@echo "make fuzz    a million mutants of binary bodies"
	@echo "make torture what docs/reliability.md tells, measured anew (nginx must be installed)"
	@echo "make docs    write docs/layers.md anew, from the layers"
	@echo "make picture take the README's picture anew, of the explorer as served (needs chromium)"
	@echo "make clean   remove what the others made"

serve: $(VENV)/service
	@echo "== starting the service on http://127.0.0.1:$(PORT) (Ctrl-C stops it)"
	@exec $(BIN)/deltawire serve --port $(PORT)

test: $(VENV)/dev
	@echo "== running the tests (those that need torch, jax, onnx, a browser or other clients run in CI: .ci/run)"
	@$(BIN)/pytest -n auto -m "not torch and not jax and not onnx and not browser and not clients"

demo: $(VENV)/demo
	@$(BIN)/python -m deltawire.demo

lint: $(VENV)/dev
	@echo "== style"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== types"
	@$(BIN)/mypy

bench: $(BENCH)/ready
	@echo "== bodies"
	@$(BENCH)/bin/python -m benchmarks.wire
	@echo "== a million rows"
	@$(BENCH)/bin/python -m benchmarks.memory
	@echo "== requests over HTTP"
	@$(BENCH)/bin/python -m benchmarks.http
	@echo "== workers and threads"
	@$(BENCH)/bin/python -m benchmarks.http.tuning
	@echo "== Hessian-vector products beside jax's"
	@$(BENCH)/bin/python -m benchmarks.derivatives
	@echo "== the engine beside torch, jax and autograd (about 25 minutes)"
	@$(BENCH)/bin/python -m benchmarks.engine

fuzz: $(VENV)/dev
	@echo "== a million mutants of binary bodies, beside the safetensors library"
	@MUTANTS=1000000 $(BIN)/pytest tests/client/wire/test_safetensors.py -k library_accepts

# Each prints its figures and its seed; all are run, whatever the ones before found.
TORTURE := fuzz hostile refusals plugins overload slow growth restarts
torture: $(VENV)/torture
	@status=0; for program in $(TORTURE); do \
	  echo "== $$program"; PYTHONPATH=tests $(BIN)/python -m torture.$$program || status=1; \
	done; exit $$status

docs: $(VENV)/dev
	@$(BIN)/python tools/docs/layers.py

picture: $(VENV)/browser
	@PYTHONPATH=tests $(BIN)/python tools/docs/picture.py

clean:
	rm -rf $(VENV) $(BENCH) .hypothesis .mypy_cache .pytest_cache .ruff_cache

# One environment; each of these files says that an extra is installed in it for the pyproject.toml of today.
$(VENV)/service $(VENV)/demo $(VENV)/dev $(VENV)/torture $(VENV)/browser $(VENV)/clients: $(VENV)/%: pyproject.toml | $(VENV)/bin/python
	@echo "== installing deltawire[$*] into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@touch $@

$(BENCH)/ready: pyproject.toml benchmarks/requirements.txt | $(VENV)/bin/python
	@echo "== installing the peers into $(BENCH)"
	@$(VENV)/bin/python -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt --editable ".[service]"
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "deltawire needs Python 3.11 or newer, and '$(PYTHON)' is not: install it, or name another with PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv is missing: on Debian and Ubuntu, 'apt install python3-venv' brings it"; exit 1; }
	@echo "== making the environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
