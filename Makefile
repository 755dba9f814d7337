# The only place where commands are spelled: README, CI and the workflows call these targets.
# Works with GNU make 3.81 and later; everything it makes lies in this checkout, except the Pulumi
# toolchain, which all checkouts of a user share (see tools/toolchain/).

SHELL := bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

# The environment of every recipe: this checkout's Python and Pulumi first, nobody else's modules.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.toolchain/bin:$(PATH)
export PULUMI_SKIP_UPDATE_CHECK := true
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV
# Modules are compiled once: without their files, each process of the tests compiles them anew.
unexport PYTHONDONTWRITEBYTECODE
# What a user sets for other programs: the modules here lie in this directory, and pip may warn.
unexport PYTHONDEVMODE PYTHONSAFEPATH PYTHONWARNINGS

ifeq (,$(shell [ -w . ] && echo ok))
ifneq (help,$(or $(MAKECMDGOALS),help))
$(error This checkout, $(CURDIR), cannot be written to, and make puts what it makes into it: copy it, or clone it, to where you can write)
endif
endif

# For the demo and the tests: no account of the user, no login, no state outside this checkout.
# CBR_TEST_REAL=1 lets the contract tests have the Huawei Cloud variables.
ISOLATE = unset $${!PULUMI_@} $(if $(CBR_TEST_REAL),,$${!HW_@} $${!HUAWEICLOUD_@}); \
	export PULUMI_HOME="$(CURDIR)/.pulumi-home" PULUMI_SKIP_UPDATE_CHECK=true;

PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --no-input
# The lists are whole: every package that is needed stands in them. So pip resolves nothing
# (--no-deps), and neither its age nor a newer release of a package changes what is installed.
PIP_INSTALL_PINS = $(PIP_INSTALL) --no-deps --require-hashes --only-binary :all:
# Settings of the user that would send packages elsewhere, or add to what is installed.
unexport PIP_CONSTRAINT PIP_PREFIX PIP_REQUIREMENT PIP_ROOT PIP_TARGET PIP_USER
SUITES = tests/unit tests/packaging tests/simulator tests/contract tests/e2e
PACKAGE_SOURCES := $(shell find provider -type f -not -name '*.pyc') pyproject.toml README.md LICENSE
TEMPORARY = build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' Makefile

# ---- environment ------------------------------------------------------------------------------

# Two steps: what a demo needs, and on top of it what checks and tests need.
VENV := .venv/.package
TOOLS := .venv/.tools
# A virtual environment holds absolute paths: one from before the checkout was moved, or whose
# Python has gone, is made anew, as is one that was not finished.
ifneq (ok,$(shell [ "$$(cat .venv/.base 2>/dev/null)" = "$$(pwd -P)" ] && .venv/bin/python -c '' 2>/dev/null && echo ok))
.PHONY: .venv/.base
endif

.PHONY: venv
venv: $(TOOLS) ## Make .venv from the pinned requirements (PYTHON=... chooses the interpreter)

.venv/.base: requirements/demo.txt
	@set -eu; supported='import sys; sys.exit(sys.version_info < (3, 11))'; chosen=; \
	for candidate in $${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do \
		if "$$candidate" -c "$$supported" >/dev/null 2>&1; then chosen=$$candidate; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
		echo "venv: no Python 3.11 or later found ($${PYTHON:-on PATH}); install one, or name it: make venv PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	echo "venv: installing the pinned requirements for $$("$$chosen" --version) into .venv"; \
	"$$chosen" -m venv --clear .venv || { \
		echo "venv: $$chosen cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; \
	.venv/bin/python $(PIP_INSTALL_PINS) -r requirements/demo.txt; \
	pwd -P > $@

# A list that has changed may lack a package that the environment has: then all is made anew.
.venv/.tools: requirements/dev.txt $(VENV)
	@set -eu; if [ -e $@ ] && [ requirements/dev.txt -nt $@ ]; then rm -rf .venv; $(MAKE) --no-print-directory $(VENV); fi; \
	echo "venv: adding what checks and tests need"; \
	.venv/bin/python $(PIP_INSTALL_PINS) -r requirements/dev.txt; \
	touch $@

# pulumi-plugin.json tells the engine that no plugin has to be downloaded for this package. The
# language host looks for it beside the installed package, where an editable install has no files.
.venv/.package: .venv/.base pyproject.toml
	@.venv/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@site=$$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && \
		mkdir -p "$$site/pulumi_huaweicloud_cbr" && \
		cp provider/pulumi_huaweicloud_cbr/pulumi-plugin.json "$$site/pulumi_huaweicloud_cbr/"
	@touch $@

.PHONY: toolchain
toolchain: $(VENV) ## Provide the Pulumi CLI in .toolchain/bin (PULUMI_TOOLCHAIN=path|release|build forces a source)
	@.venv/bin/python -m tools.toolchain

.PHONY: toolchain-quiet
toolchain-quiet: $(VENV)
	@.venv/bin/python -m tools.toolchain --quiet

.PHONY: state-servers
state-servers: $(VENV) ## Provide the S3 server that tests and benchmarks of backends use, and look for PostgreSQL
	@.venv/bin/python -m tools.state_servers

COMPILE = .venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 \
	--no-strip-extras --generate-hashes --no-emit-index-url --no-header $(if $(UPGRADE),--upgrade)
.PHONY: requirements
requirements: ## Compile requirements/*.txt from pyproject.toml (UPGRADE=1 takes the newest versions)
	@test -x .venv/bin/uv || $(MAKE) --no-print-directory venv
	@$(COMPILE) pyproject.toml --constraint requirements/sdk-3.255.in --group stacks -o requirements/runtime.txt
	@$(COMPILE) pyproject.toml --constraint requirements/sdk-3.272.in --group stacks -o requirements/runtime-sdk-3.272.txt
	@$(COMPILE) pyproject.toml --constraint requirements/sdk-3.255.in --extra report --group dev -o requirements/dev.txt
	@$(COMPILE) pyproject.toml --constraint requirements/dev.txt --extra report --group demo -o requirements/demo.txt
	@$(COMPILE) --group go --only-binary :all: -o requirements/go.txt
	@$(COMPILE) --group audit -o requirements/audit.txt
	@$(COMPILE) --group docs -o requirements/docs.txt
	@echo 'pip==22.3' | $(COMPILE) - --only-binary :all: -o tests/fixtures/pips/oldest.txt
	@echo 'pip' | $(COMPILE) - --only-binary :all: -o tests/fixtures/pips/newest.txt

# ---- the product ------------------------------------------------------------------------------

.PHONY: demo
demo: toolchain-quiet ## Replicate, drift, repair and destroy against the simulator; needs no account
	@$(ISOLATE) .venv/bin/python -m tools.demo $(DEMO_ARGS)

# preview, up and recover work on the user's own backend and login: nothing of Pulumi's settings is
# replaced. PREFLIGHT=off: a preview without any credentials, against an empty state. CI_ARGS are
# options of the command, such as CI_ARGS="--fail-on delete,last-copy".
REQUIRE_STACK = if [ -z "$${STACK:-}" ]; then echo "$@: which stack? make $@ STACK=name" >&2; exit 2; fi
CI = .venv/bin/python -m pulumi_huaweicloud_cbr ci
.PHONY: preview
preview: toolchain-quiet ## Preview STACK=name (PREFLIGHT=off: no credentials; FORMAT=text or markdown, default: text on a terminal)
	@set -euo pipefail; $(REQUIRE_STACK); offline=; \
	case "$${PREFLIGHT:-}" in '') ;; off) offline=--offline; export PULUMI_HOME="$(CURDIR)/.pulumi-home";; \
	*) echo "preview: PREFLIGHT is '$$PREFLIGHT'; it can be off or unset" >&2; exit 2;; esac; \
	case "$${FORMAT:-text}" in text|markdown) ;; *) echo "preview: FORMAT is '$$FORMAT'; it can be text, markdown or unset" >&2; exit 2;; esac; \
	report=build/preview/$${STACK//\//-}; \
	$(CI) preview --stack "$$STACK" $$offline $${FORMAT:+--format "$$FORMAT"} \
		--comment-file "$$report.md" --json-file "$$report.json" $(CI_ARGS)

.PHONY: up
up: toolchain-quiet ## Run `pulumi up` for STACK=name, without prompts
	@set -euo pipefail; $(REQUIRE_STACK); $(CI) up --stack "$$STACK" $(CI_ARGS)

.PHONY: drift
drift: toolchain-quiet ## Say which replicas of STACK=name are lost, or were changed outside of Pulumi
	@set -euo pipefail; $(REQUIRE_STACK); report=build/drift/$${STACK//\//-}; \
	$(CI) drift --stack "$$STACK" $${FORMAT:+--format "$$FORMAT"} \
		--comment-file "$$report.md" --json-file "$$report.json" $(CI_ARGS)

.PHONY: recover
recover: toolchain-quiet ## Remove the lock and the pending operations that a killed `up` of STACK=name left (DEAD=host:process)
	@set -euo pipefail; $(REQUIRE_STACK); $(CI) recover --stack "$$STACK" $${DEAD:+--dead "$$DEAD"}

# An account of the user's is what this is for: nothing of the environment is taken away.
.PHONY: live
live: $(VENV) ## Run the package against the real cloud: states the cost, requires LIVE_CONFIRM=yes (docs/live.md)
	@.venv/bin/python -m tools.live

.PHONY: live-clean
live-clean: $(VENV) ## Delete what an interrupted `make live` has left in the cloud
	@.venv/bin/python -m tools.live --clean

.PHONY: wheel
wheel: build/wheel.stamp ## Build the package into dist/
build/wheel.stamp: $(VENV) $(PACKAGE_SOURCES)
	@rm -rf dist && mkdir -p build
	@.venv/bin/python -m hatchling build --target wheel --directory dist >build/wheel.log 2>&1 || { cat build/wheel.log >&2; exit 1; }
	@touch $@

# ---- checks -----------------------------------------------------------------------------------

.PHONY: check
check: lint test ## Everything that CI runs

.PHONY: lint
lint: $(TOOLS) .cache/docs/.complete ## Format, lint rules, types, layers, secrets, long sentences, documentation site
	@set -eu; run() { echo "lint: $$*"; "$$@"; }; \
	run .venv/bin/python -m ruff format --check --quiet .; \
	run .venv/bin/python -m ruff check --quiet .; \
	run .venv/bin/python -m mypy; \
	run .venv/bin/lint-imports; \
	run .venv/bin/python -m tools.checks.secret_scan; \
	run .venv/bin/python -m tools.checks.prose; \
	run .venv/bin/python -m tools.checks.workflows; \
	run .cache/docs/bin/python -m tools.checks.site

# Apart from `check`: it asks a database on the network, which may know something new each day.
# --strict: a package that the database cannot be asked about is a failure, not a pass.
.PHONY: audit
audit: .cache/audit/.complete ## Check the pinned dependencies against a database of vulnerabilities; needs a network
	@code=0; for list in requirements/*.txt; do \
		echo "audit: $$list"; \
		.cache/audit/bin/python -m pip_audit --strict --disable-pip --require-hashes --progress-spinner off \
			--requirement "$$list" || code=1; \
	done; exit $$code
.cache/audit/.complete: requirements/audit.txt | $(VENV)
	@.venv/bin/python -m venv --clear .cache/audit
	@.cache/audit/bin/python $(PIP_INSTALL_PINS) -r requirements/audit.txt
	@touch $@

# The same bytes for each build of one commit: the files have the time of the commit.
.PHONY: release
release: $(VENV) .cache/audit/.complete ## Build what a release has into dist/: wheel, sdist, SBOM, checksums
	@rm -rf dist && mkdir -p build
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) .venv/bin/python -m hatchling build --directory dist >build/release.log 2>&1 || { cat build/release.log >&2; exit 1; }
	@.cache/audit/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-format JSON \
		--output-file dist/sbom.cdx.json requirements/runtime.txt
	@cd dist && shasum -a 256 *.whl *.tar.gz sbom.cdx.json >SHA256SUMS 2>/dev/null || sha256sum *.whl *.tar.gz sbom.cdx.json >SHA256SUMS
	@ls dist

.PHONY: release-tag
release-tag: ## Check that TAG is the version of the package, such as v0.2.0
	@version=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml); \
	if [ "$(TAG)" != "v$$version" ]; then echo "release: the tag is '$(TAG)', and the version is $$version" >&2; exit 1; fi

.PHONY: publish
publish: $(TOOLS) ## Publish dist/ as the identity of a workflow, without a stored key
	@.venv/bin/python -m uv publish --trusted-publishing always dist/*.whl dist/*.tar.gz

# A broken link, a missing anchor and a name that the package does not have are failures.
.PHONY: site
site: .cache/docs/.complete ## Build the documentation site into build/site; any warning is a failure
	@.cache/docs/bin/python -m tools.checks.site
.PHONY: site-pictures
site-pictures: site ## Take pictures of the main pages into build/site/pictures; needs Chromium or Chrome
	@.venv/bin/python -m tools.checks.pictures
.cache/docs/.complete: requirements/docs.txt | $(VENV)
	@.venv/bin/python -m venv --clear .cache/docs
	@.cache/docs/bin/python $(PIP_INSTALL_PINS) -r requirements/docs.txt
	@touch $@

.PHONY: format
format: $(TOOLS) ## Format the code, and fix what can be fixed automatically
	@.venv/bin/python -m ruff check --quiet --fix-only .
	@.venv/bin/python -m ruff format .

# Two processes for each core, since the end-to-end tests wait about half of their time; small pieces,
# so that the long ones are shared out.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
PARALLEL = -n $(or $(TEST_WORKERS),$(shell expr 2 \* $(CORES))) --maxschedchunk 2
PYTEST = $(ISOLATE) .venv/bin/python -m pytest $(PARALLEL) $(PYTEST_ARGS)

# Each guarantee has a test in `make test`; what proves it again, elsewhere, runs at night.
NOT_FULL = -m "not full"

# Workers that start together would each compile all tests. In a new environment one process does
# it before they start. What it cannot collect, the tests themselves tell.
COMPILED := .venv/.compiled
$(COMPILED): | $(TOOLS)
	@.venv/bin/python -m pytest --collect-only --quiet -n 0 $(SUITES) >/dev/null 2>&1 || true
	@touch $@

.PHONY: test
test: $(TOOLS) toolchain-quiet sdk-venvs pips $(COMPILED) ## Tests of every guarantee: unit, packaging, simulator, contract, e2e (PYTEST_ARGS=... is passed on)
	@echo "test: $(SUITES)"
	@$(PYTEST) $(NOT_FULL) $(SUITES)

.PHONY: test-full
test-full: $(TOOLS) toolchain-quiet state-servers sdk-venvs pips .cache/audit/.complete .cache/docs/.complete $(COMPILED) ## All tests, including the nightly ones
	@echo "test-full: $(SUITES)"
	@export CBR_MODEL_EXAMPLES=$(or $(EXAMPLES),156); $(PYTEST) $(SUITES)

.PHONY: test-unit
test-unit: $(TOOLS) ## Unit tests: no sockets, no engine
	@$(PYTEST) tests/unit

.PHONY: test-contract
test-contract: $(TOOLS) ## The simulator's own tests, and the client against it
	@$(PYTEST) $(NOT_FULL) tests/simulator tests/contract

.PHONY: test-e2e
test-e2e: $(TOOLS) toolchain-quiet sdk-venvs ## The real pulumi command against the simulator
	@$(PYTEST) $(NOT_FULL) tests/e2e

.PHONY: model
model: $(TOOLS) ## Random tests without the CLI: EXAMPLES=600 histories of the model, the others in proportion
	@export CBR_MODEL_EXAMPLES=$(or $(EXAMPLES),600); $(PYTEST) tests/contract/test_model.py tests/contract/test_set_model.py tests/contract/test_vault_model.py tests/contract/test_fuzz_responses.py

.PHONY: tables
tables: $(TOOLS) ## Write the documents' tables from the tests' data
	@.venv/bin/python -m tools.checks.tables

.PHONY: pictures
pictures: $(TOOLS) toolchain-quiet ## Draw the comments that the documentation shows; needs Chromium
	@$(ISOLATE) .venv/bin/python -m tools.pictures

.PHONY: report-pictures
report-pictures: $(TOOLS) ## Draw the report's page for the documentation; needs Chromium
	@$(ISOLATE) .venv/bin/python -m tools.pictures report

.PHONY: mutants
mutants: $(TOOLS) ## Disable the package's rules, one at a time: a test must notice each (docs/mutants.md)
	@$(ISOLATE) .venv/bin/python -m tools.checks.mutants --write $(MUTANTS)

.PHONY: coverage
coverage: $(TOOLS) ## Branch coverage of the package by unit and contract tests
	@$(PYTEST) --cov --cov-report=term-missing tests/unit tests/contract

# Projects as users have them: only the built wheel and its dependencies, for each SDK we promise.
.PHONY: sdk-venvs
sdk-venvs: .cache/sdk-3.255.0/.complete .cache/sdk-3.272.0/.complete ## Environments with the wheel only, one per SDK version
.cache/sdk-3.255.0/.complete: requirements/runtime.txt build/wheel.stamp
	@$(call sdk_venv,.cache/sdk-3.255.0,requirements/runtime.txt)
.cache/sdk-3.272.0/.complete: requirements/runtime-sdk-3.272.txt build/wheel.stamp
	@$(call sdk_venv,.cache/sdk-3.272.0,requirements/runtime-sdk-3.272.txt)
# Dependencies are installed when their list changes, the wheel each time that it was built.
define sdk_venv
set -eu; \
if ! [ "$$(cat $(1)/.paths 2>/dev/null)" = "$$(pwd -P)" ] || ! cmp -s $(2) $(1)/.requirements; then \
	echo "sdk-venvs: installing $(2) into $(1)"; \
	.venv/bin/python -m venv --clear $(1); \
	$(1)/bin/python $(PIP_INSTALL_PINS) -r $(2); \
	cp $(2) $(1)/.requirements; pwd -P > $(1)/.paths; \
fi; \
$(1)/bin/python $(PIP_INSTALL) --no-deps --no-index --force-reinstall dist/*.whl; \
touch $(1)/.complete
endef

# The oldest pip that Python 3.11 shipped, and a current one: for the test of ageing.
.PHONY: pips
pips: .cache/pip-oldest/.complete .cache/pip-newest/.complete
.cache/pip-%/.complete: tests/fixtures/pips/%.txt | $(VENV)
	@rm -rf $(@D); .venv/bin/python $(PIP_INSTALL_PINS) --target $(@D) -r $<; touch $@

# ---- benchmarks -------------------------------------------------------------------------------

.PHONY: bench
bench: $(TOOLS) toolchain-quiet sdk-venvs ## Cost of fleets of replications against the simulator (BENCH_ARGS="--forms single --sizes 1,10")
	@$(ISOLATE) .venv/bin/python -m tools.benchmarks.fleet $(BENCH_ARGS)

.PHONY: bench-targets
bench-targets: $(TOOLS) toolchain-quiet sdk-venvs ## Cost limits of fleets: each limit beside the measured value
	@$(ISOLATE) .venv/bin/python -m tools.benchmarks.targets $(BENCH_ARGS)

.PHONY: bench-host
bench-host: $(TOOLS) toolchain-quiet sdk-venvs ## The plugin host against the SDK's plugin, side by side
	@$(ISOLATE) .venv/bin/python -m tools.benchmarks.plugin_host

.PHONY: bench-state
bench-state: $(TOOLS) toolchain-quiet state-servers ## What states cost on files, PostgreSQL and S3 (BENCH_ARGS="--forms set --sizes 100")
	@$(ISOLATE) .venv/bin/python -m tools.benchmarks.state $(BENCH_ARGS)

.PHONY: bench-start
bench-start: sdk-venvs ## Cost of importing the package, in plugins and programs
	@$(ISOLATE) .venv/bin/python -m tools.benchmarks.start $(BENCH_ARGS)

.PHONY: bench-report
bench-report: $(TOOLS) ## What a report on thousands of backups costs, with 200 ms for each call
	@$(ISOLATE) .venv/bin/python -m tools.benchmarks.report $(BENCH_ARGS)

.PHONY: bench-simulator
bench-simulator: $(TOOLS) ## Time that the simulator takes for each kind of request, with many copies under way
	@$(ISOLATE) .venv/bin/python -m tools.benchmarks.simulator

# ---- cleaning ---------------------------------------------------------------------------------

.PHONY: clean
clean: ## Remove results and tool caches
	@rm -rf $(TEMPORARY)
	@find . -path ./.venv -prune -o -path ./.cache -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove everything made here; the shared Pulumi toolchain in the user's cache stays
	@rm -rf .venv .toolchain .pulumi-home .cache
