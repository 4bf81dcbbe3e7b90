# Each target installs what it needs on its first run. `make` alone lists the targets.
#
#   PYTHON=...     the interpreter for .venv, 3.11 or later
#   PYTHON313=...  the interpreter of `build`, if it is not found automatically

PYTHON ?= python3
PYTHON313 ?= $(shell $(FIND_PYTHON313))
BUILD_DIR = .aws-sam/build
# Where `deploy` keeps the answers to its questions, which are nobody else's: git ignores it.
CONFIG ?= samconfig.local.toml

DEV := .venv/bin/python
SAM := .venv-sam/bin/python -m samcli
AUDIT := .venv-audit/bin/python
# The lock files contain all dependencies, so pip resolves nothing and compiles nothing.
INSTALL := -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes --only-binary :all: -r
PYTEST = $(DEV) -m pytest $(COVER)

export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help .venv sandbox demo documents pictures test test-unit test-rest campaigns acceptance mutants bench latency cost scale check \
        check-format check-lint check-types check-template check-build check-tests format audit build sam-build deploy lock clean

help: ## list the targets
	@awk -F ':[^#]*## ' '/^[a-z.]*:[^#]*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.venv: .venv/.dev-ready .venv-sam/.ready .venv-audit/.ready ## install everything, and do nothing else

sandbox: .venv/.sandbox-ready ## run the whole system on this machine until Ctrl-C
	@$(DEV) -m sandbox

demo: .venv/.sandbox-ready ## the same: run the demo, check its results, and end
	@$(DEV) -m sandbox --demo

documents: .venv/.dev-ready ## write the documents in events/ that are generated from the code
	@PYTHONPATH=layers/payresult/python $(DEV) -m tests.contract.documents

pictures: .venv/.dev-ready ## take the README's screenshots of the sandbox's page (needs Chromium and chromedriver)
	@$(DEV) -m tests.integration.pictures

test: test-unit test-rest ## run all tests, the fast ones first

test-unit: .venv/.dev-ready
	@$(PYTEST) -n 2 tests/unit events/subscriber

# Four workers keep two cores busy: half of their time these tests wait (queues, deadlines, a browser).
test-rest: .venv/.dev-ready .venv-sam/.ready
	@$(PYTEST) -n 4 --dist loadfile tests --ignore=tests/unit

campaigns: .venv/.dev-ready ## test the guarantees by fault injection, half an hour (SIZE=small: a minute; SEED=... repeats a run)
	@PYTHONPATH=layers/payresult/python:cli $(DEV) -m tests.fault_injection

acceptance: .venv/.dev-ready ## play the story against a stack on AWS that is there for tests: STACK=... (EMULATOR=1: on this machine)
	@PYTHONPATH=cli:layers/payresult/python $(DEV) -m acceptance

mutants: .venv/.dev-ready ## change the code in one place at a time; a test must fail each time (ONLY=decision: a part)
	@$(DEV) -m tests.mutation

bench: .venv/.dev-ready .venv-sam/.ready .venv-runtime/.ready ## compare its speed with typical code, in ten minutes (ONLY=...: a part)
	@PYTHONPATH=layers/payresult/python $(DEV) -m tests.benchmarks

latency: .venv/.dev-ready ## print how long after paying a payment is known to be paid (DELAYS=5,10,...: another CheckDelays)
	@PYTHONPATH=layers/payresult/python $(DEV) -m tests.benchmarks.latency

cost: .venv/.dev-ready ## print what a million checks and payments cost on AWS, also in four other designs
	@PYTHONPATH=layers/payresult/python $(DEV) -m tests.benchmarks.cost

scale: .venv/.dev-ready ## print how cost and time grow, and which limit is reached first (CPU=1 measures this machine)
	@PYTHONPATH=layers/payresult/python $(DEV) -m tests.benchmarks.scale

check: check-format check-lint check-types check-template check-build check-tests ## run all checks that a commit must pass

check-format: .venv/.dev-ready
	$(DEV) -m ruff format --check

check-lint: .venv/.dev-ready
	$(DEV) -m ruff check

check-types: .venv/.dev-ready
	$(DEV) -m mypy

check-template: .venv/.dev-ready .venv-sam/.ready .venv-audit/.ready
	.venv/bin/cfn-lint -t template.yaml events/subscriber/template.yaml -a cfn_lint_serverless.rules
	.venv/bin/cfn-lint -t acceptance/template.yaml
	$(SAM) validate --lint
	$(AUDIT) -m checkov.main --config-file .ci/checkov.yaml

audit: .venv-audit/.ready ## ask a public service (osv.dev) for known vulnerabilities of the pinned packages
	@$(AUDIT) .ci/audit.py layers/dependencies/requirements.txt requirements/*.txt $(SUBSCRIBER)/requirements.txt

check-build: build

check-tests: .venv/.dev-ready .venv-sam/.ready
	@rm -f .coverage
	@$(MAKE) --no-print-directory test COVER="--cov --cov-append --cov-report= --cov-fail-under=0"
	$(DEV) -m coverage report

format: .venv/.dev-ready ## format the code and fix what can be fixed automatically
	$(DEV) -m ruff check --fix
	$(DEV) -m ruff format

build: ## build the functions and layers (needs Python 3.13; skipped without it, an error if CI=true)
	@if [ -n "$(PYTHON313)" ]; then $(MAKE) --no-print-directory sam-build; \
	elif [ "$$CI" = true ]; then echo "build: $(NO_PYTHON313)" >&2; exit 1; \
	else echo "build: skipped, $(NO_PYTHON313)" >&2; fi

sam-build: .venv-sam/.ready .venv-runtime/.ready
	@PATH="$(CURDIR)/.venv-runtime/bin:$$PATH" $(SAM) build --build-dir "$(BUILD_DIR)"
	@echo "Here the next command is: make deploy"

deploy: sam-build ## build, then deploy to AWS; asks for the parameters (CONFIG=samconfig.prod.toml: of another stack)
	@[ -e "$(CONFIG)" ] || cp samconfig.toml "$(CONFIG)"
	$(SAM) deploy --guided --template-file "$(BUILD_DIR)/template.yaml" --config-file "$(abspath $(CONFIG))"

lock: .venv/.dev-ready ## pin the dependencies of pyproject.toml again (delete a lock file first to get newer versions)
	$(COMPILE) pyproject.toml -o layers/dependencies/requirements.txt
	$(COMPILE) pyproject.toml --group sandbox -c layers/dependencies/requirements.txt -o requirements/sandbox.txt
	$(COMPILE) pyproject.toml --group dev -c requirements/sandbox.txt -o requirements/dev.txt
	$(COMPILE) --group runtime -c requirements/dev.txt -o requirements/runtime.txt
	$(COMPILE) --group sam -o requirements/sam.txt
	$(COMPILE) --group audit -o requirements/audit.txt
	$(COMPILE) $(SUBSCRIBER)/requirements.in -c requirements/dev.txt -o $(SUBSCRIBER)/requirements.txt

SUBSCRIBER = events/subscriber/function
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
          --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links

clean: ## remove everything that was installed, built or cached here
	rm -rf .venv .venv-sam .venv-audit .venv-runtime .aws-sam .sandbox .sandbox-cache .coverage .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find acceptance functions layers cli sandbox tests events -name __pycache__ -type d -prune -exec rm -rf {} +

# The environments. A stamp file is newer than the lock file that was installed, and than the interpreter: an environment that
# is made again, because its interpreter is gone, is empty.

.venv/.sandbox-ready: requirements/sandbox.txt .venv/bin/python
	@echo "installing the sandbox into .venv" >&2
	@$(DEV) $(INSTALL) $<
	@touch $@

.venv/.dev-ready: requirements/dev.txt .venv/.sandbox-ready
	@echo "installing tests and linters into .venv" >&2
	@$(DEV) $(INSTALL) $<
	@touch $@

.venv-sam/.ready: requirements/sam.txt .venv-sam/bin/python
	@echo "installing the SAM CLI into .venv-sam" >&2
	@.venv-sam/bin/python $(INSTALL) $<
	@touch $@

.venv-audit/.ready: requirements/audit.txt .venv-audit/bin/python
	@echo "installing the vulnerability scanners into .venv-audit" >&2
	@.venv-audit/bin/python $(INSTALL) $<
	@touch $@

.venv-runtime/.ready: requirements/runtime.txt .venv-runtime/bin/python
	@.venv-runtime/bin/python $(INSTALL) $<
	@touch $@

.venv/bin/python .venv-sam/bin/python .venv-audit/bin/python:
	@command -v "$(PYTHON)" >/dev/null || { echo "needs Python 3.11 or later: $(PYTHON) was not found, name one with PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "needs Python 3.11 or later: $(PYTHON) is older, name another with PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "needs the venv module of $(PYTHON) (Debian: apt install python3-venv)" >&2; exit 1; }
	@"$(PYTHON)" -m venv --clear $(@D:/bin=)

.venv-runtime/bin/python:
	@[ -n "$(PYTHON313)" ] || { echo "$(NO_PYTHON313)" >&2; exit 1; }
	@"$(PYTHON313)" -m venv --clear $(@D:/bin=)

NO_PYTHON313 := no Python 3.13 was found: name one with PYTHON313=...

# Prints the first interpreter that runs and is 3.13: a version manager's shim on PATH may do neither.
FIND_PYTHON313 = for candidate in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python3.13 \
  "$$HOME"/.local/share/uv/python/cpython-3.13*/bin/python3.13 \
  /usr/local/bin/python3.13 /opt/*/bin/python3.13 /opt/*/*/bin/python3.13; do \
  "$$candidate" -c 'import sys; sys.version_info[:2] == (3, 13) or sys.exit(1); print(sys.executable)' 2>/dev/null && break; done
