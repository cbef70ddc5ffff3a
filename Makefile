# `make serve` and `make test` are all you need to begin. Everything is installed into .venv, inside this folder.
PORT ?= 8000
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench

.PHONY: serve test demo lint kernels bench fuzz torture docs types picture clean help

help:
	@echo "make serve    install, and serve on http://127.0.0.1:$(PORT)   (PORT=8001 changes the port)"
	@echo "make test     install, and run the test suite (3 to 7 minutes on two cores, by their speed)"
	@echo "make demo     install, and watch a network learn handwritten digits (DEMO=text: a text)"
	@echo "make lint     check style and types (of JavaScript too, where npm is installed)"
	@echo "make kernels  compile the kernels of the layers, which are then used (needs a C++ compiler)"
	@echo "make bench    measure speed beside torch, jax and others (an hour to an hour and a half)"
	@echo "make fuzz     test the binary format with a million mutants"
	@echo "make torture  measure the figures of docs/reliability.md again (needs nginx)"
	@echo "make docs     generate the pages of layers and optimizers, and docs/architecture.svg"
	@echo "make types    generate the types of client/typescript (needs npm)"
	@echo "make picture  take the screenshots of the docs again (needs chromium)"
	@echo "make clean    remove what these commands made"

serve: $(VENV)/service
	@echo "== starting the service on http://127.0.0.1:$(PORT) (Ctrl-C stops it)"
	@exec $(BIN)/deltawire serve --port $(PORT)

test: $(VENV)/dev
	@echo "== running the tests (3 to 7 minutes on two cores, by their speed; .ci/run adds those with servers, torch, jax, onnx, browsers and other clients)"
	@$(BIN)/pytest -n auto -m "not torch and not jax and not onnx and not parquet and not browser and not clients and not recipes and not typed and not servers and not kit and not cluster and not suites and not kernels and not mkl"

demo: $(VENV)/demo
	@$(BIN)/deltawire demo $(DEMO)

lint: $(VENV)/dev
	@echo "== style"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== types"
	@$(BIN)/mypy
	@if command -v npm >/dev/null; then echo "== JavaScript"; .ci/javascript; \
	  else echo "== JavaScript is not checked: npm is missing"; fi

kernels: $(VENV)/service
	@$(BIN)/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps ./plugins/kernels
	@$(BIN)/python -c "import deltawire_kernels as k; print('kernels for', k.instructions or 'another processor')"

bench: $(BENCH)/ready
	@echo "== bodies"
	@$(BENCH)/bin/python -m benchmarks.wire
	@echo "== memory of a million rows"
	@$(BENCH)/bin/python -m benchmarks.memory
	@echo "== requests over HTTP"
	@$(BENCH)/bin/python -m benchmarks.http
	@echo "== a worker's start and memory"
	@$(BENCH)/bin/python -m benchmarks.http.start
	@echo "== models that learn, beside torch"
	@$(BENCH)/bin/python -m benchmarks.models
	@echo "== runs, beside torch"
	@$(BENCH)/bin/python -m benchmarks.runs
	@echo "== workers and threads"
	@$(BENCH)/bin/python -m benchmarks.http.tuning
	@echo "== Hessian-vector products, beside jax"
	@$(BENCH)/bin/python -m benchmarks.derivatives
	@echo "== single layers, beside torch"
	@$(BENCH)/bin/python -m benchmarks.layers
	@echo "== whole networks, beside torch"
	@$(BENCH)/bin/python -m benchmarks.networks
	@echo "== the engine, beside torch, jax and autograd (about 25 minutes)"
	@$(BENCH)/bin/python -m benchmarks.engine

fuzz: $(VENV)/dev
	@echo "== a million mutants of binary bodies, compared with the safetensors library"
	@MUTANTS=1000000 $(BIN)/pytest tests/client/wire/test_safetensors.py -k library_accepts

# Each program prints its figures and its seed. All run, also after one has failed.
TORTURE := fuzz hostile refusals plans plugins overload silent slow growth caches looks restarts system_faults memory_limit \
	uploads crashes disk_faults steppers syncs trainers trainer_kills readers processors full_disks large_models large_tables \
	large_datasets versions worker_kills worker_runs worker_memory worker_cuts
torture: $(VENV)/torture
	@status=0; for program in $(TORTURE); do \
	  echo "== $$program"; PYTHONPATH=tests $(BIN)/python -m torture.$$program || status=1; \
	done; exit $$status

docs: $(VENV)/dev
	@$(BIN)/python tools/docs/layers.py
	@$(BIN)/python tools/docs/optimizers.py
	@$(BIN)/python tools/docs/architecture.py

types: $(VENV)/dev
	@npm --prefix client/typescript ci --silent --no-audit --no-fund
	@$(BIN)/python tools/docs/openapi.py | npm --prefix client/typescript run --silent types

picture: $(VENV)/browser
	@PYTHONPATH=tests $(BIN)/python tools/docs/picture.py
	@PYTHONPATH=tests $(BIN)/python tools/docs/models_picture.py

clean:
	rm -rf $(VENV) $(BENCH) .hypothesis .mypy_cache .pytest_cache .ruff_cache

# One environment for all. Each of these files says that an extra is installed, for the present pyproject.toml.
$(VENV)/service $(VENV)/demo $(VENV)/dev $(VENV)/torture $(VENV)/browser $(VENV)/clients: $(VENV)/%: pyproject.toml | $(VENV)/bin/python
	@echo "== installing deltawire[$*] into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@touch $@

$(BENCH)/ready: pyproject.toml benchmarks/requirements.txt | $(VENV)/bin/python
	@echo "== installing the other contenders into $(BENCH)"
	@$(VENV)/bin/python -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt --editable ".[service]"
	@command -v c++ >/dev/null && $(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check ./plugins/kernels || \
	  echo "== no C++ compiler is installed: numpy computes what kernels would"
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "deltawire needs Python 3.11 or newer, and '$(PYTHON)' is older or missing: install it, or choose another with PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv is missing: on Debian and Ubuntu, run 'apt install python3-venv'"; exit 1; }
	@echo "== making the environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
