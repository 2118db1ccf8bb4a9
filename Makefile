# Every target works on a fresh machine; the first one sets it up.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TESTED := $(VENV)/.ready-test
DATA   ?= data

.PHONY: setup run test check peers bench detection soak lock clean

setup: $(READY)

$(BIN)/python:
	@echo "· a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(READY): requirements.lock requirements-front.lock pyproject.toml package-lock.json config/prompts/en.toml config/prompts/es.toml | $(BIN)/python
	@echo "· the libraries, pinned by hash"
	@$(BIN)/pip install --disable-pip-version-check -q --require-hashes -r requirements.lock
	@$(BIN)/pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@command -v npm >/dev/null || $(BIN)/pip install --disable-pip-version-check -q --require-hashes -r requirements-front.lock
	@echo "· the prompts, the compiled packet path and detectors, the page's scripts (side by side)"
	@$(BIN)/python -m switch.lab.setup --data $(DATA)
	@touch $@

$(TESTED): requirements-test.lock $(READY)
	@echo "· the test tools, pinned by hash"
	@$(BIN)/pip install --disable-pip-version-check -q --require-hashes -r requirements-test.lock
	@touch $@

run: $(READY)
	@$(BIN)/kinline lab scene --config config/lab.toml --data $(DATA)

peers:
	@deploy/install-peers

check: $(TESTED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(TESTED) peers check
	$(BIN)/pytest -n 2 -m "not live"
	deploy/test-live $(BIN)/pytest

bench: $(TESTED)
	@$(BIN)/python -m tests.bench

soak: $(TESTED)
	@$(BIN)/python -m tests.soak

HOURS ?= 150
detection: $(TESTED)
	@deploy/install-anchors
	@nice -n 15 $(BIN)/python -m tests.detection --hours $(HOURS) --out build/detection --card dsp

lock:
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -q --extra lab --extra build -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -q --extra lab --extra build --extra test -o requirements-test.lock pyproject.toml
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -q --extra front -o requirements-front.lock pyproject.toml

clean:
	rm -rf $(VENV) node_modules build dist
