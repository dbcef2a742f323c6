# Installs memwave in .venv, runs, tests and checks it. `make help` lists the targets.

PYTHON ?= python3
CORES ?= all
ARGS ?=
EXAMPLES ?= 1000
DIST ?= dist

# Rooms whose tests start no run of the workflow.
QUICK := core features house recordings results/test_figure_texts.py results/test_table.py storage workflow

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
UV := 0.13.9
COMPILE := $(BIN)/uv pip compile --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-annotate --no-header --quiet --upgrade

# $(call timed,name,command) prints the time of a command and returns its exit status.
timed = @begin=$$(date +%s); $(2); status=$$?; \
	echo "[$(strip $(1)): $$(($$(date +%s) - begin)) s]"; exit $$status

# Snakemake does not name a configuration file that it cannot read; the script does.
snakemake = { $(BIN)/snakemake $(1) $(ARGS) || { status=$$?; \
	$(BIN)/python scripts/check_configfiles.py $(ARGS); (exit $$status); }; }

# What is easily typed in place of ARGS="--configfile my.yaml" would run the default configuration.
ifneq ($(filter %.yaml %.yml,$(MAKECMDGOALS)),)
$(error Type: make run ARGS="--configfile $(filter %.yaml %.yml,$(MAKECMDGOALS))")
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run report figures dry-run docs dist formats formats-eeg formats-hdf5 formats-seismic test test-quick fuzz test-hpc test-faults verify clean-stale lint format bench bench-small lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-15s  %s\n", $$1, $$2 }' Makefile
	@echo 'Variables: PYTHON=$(PYTHON) (3.11 or newer), CORES=$(CORES) (of the machine), ARGS= (for snakemake or pytest)'

run: $(VENV)/run.stamp ## Run the workflow; ARGS="--configfile my.yaml" for your own configuration
	$(call timed,run, $(call snakemake,--cores $(CORES)))

dry-run: $(VENV)/run.stamp ## Show what a run would do
	$(call timed,dry run, $(call snakemake,--dry-run))

docs: $(VENV)/docs.stamp ## Build the documentation in build/docs; open build/docs/index.html
	$(call timed,documentation, $(BIN)/sphinx-build --quiet --fail-on-warning --keep-going \
		-d build/doctrees docs build/docs $(ARGS))

dist: $(VENV)/test.stamp ## Build wheel and sdist in dist/, without a network
	$(call timed,distributions, $(BIN)/python -m hatchling build -d $(DIST))

formats: $(VENV)/formats.stamp ## Install the libraries for most formats of recordings

formats-eeg: $(VENV)/formats-eeg.stamp ## Install MNE-Python, for formats of EEG, MEG and NIRS

formats-hdf5: $(VENV)/formats-hdf5.stamp ## Install hdf5plugin, for compressions such as blosc and zstd

formats-seismic: $(VENV)/formats-seismic.stamp ## Install ObsPy, for formats of seismology

test: $(VENV)/test.stamp ## Run the tests; ARGS="tests/core/test_ranges.py" for some of them
	$(call timed,tests, $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS))

test-quick: $(VENV)/test.stamp ## Run the tests of single modules only, in a minute or two
	$(call timed,quick tests, $(BIN)/python -m pytest -q -n auto --dist loadfile --ignore-glob='tests/*/test_*memory.py' $(addprefix tests/,$(QUICK)) $(ARGS))

test-hpc: $(VENV)/test.stamp $(VENV)/slurm.stamp ## Install and start a SLURM cluster and run its tests (needs root, apt)
	$(call timed,tests on a cluster, $(BIN)/python -m pytest -rs -m hpc tests/hpc $(ARGS))

test-faults: $(VENV)/test.stamp ## Kill the workflow at 30 random moments (5 minutes or more)
	$(call timed,fault tests, MEMWAVE_KILLS=30 $(BIN)/python -m pytest -rA tests/faults/test_kills.py $(ARGS))

verify: $(VENV)/run.stamp ## Check results and recordings against their checksums; ARGS=<folder>
	$(call timed,verify, $(BIN)/python scripts/verify_results.py $(ARGS))

clean-stale: $(VENV)/run.stamp ## Remove partial files of killed jobs and old shards; ARGS=--list only lists
	@$(BIN)/python scripts/clean_stale.py $(ARGS)

fuzz: $(VENV)/test.stamp $(VENV)/fuzz.stamp ## Read damaged recordings of all formats (20 minutes); EXAMPLES=1000
	$(call timed,fuzzing of formats, $(BIN)/python tests/helpers/fuzzing.py $(EXAMPLES))
	$(call timed,fuzzing of our own parser, $(BIN)/python tests/helpers/fuzz_mat5.py -atheris_runs=200000)

lint: $(VENV)/test.stamp ## Check style, types and the workflow
	$(call timed,ruff check, $(BIN)/ruff check)
	$(call timed,ruff format, $(BIN)/ruff format --check)
	$(call timed,snakefmt, $(BIN)/snakefmt --check Snakefile rules examples/downstream)
	$(call timed,mypy, $(BIN)/mypy)
	$(call timed,snakemake --lint, $(BIN)/snakemake --lint)

format: $(VENV)/test.stamp ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/snakefmt Snakefile rules examples/downstream

report: run ## Run the workflow, then write report.html with figures, tables and run times
	$(call timed,report, $(call snakemake,--report report.html))

figures: $(VENV)/run.stamp ## Update the figures of the documentation
	$(BIN)/snakemake --cores $(CORES)
	cp $(addprefix results/hapt/haar/exact/plots/,spectrum.svg components.svg scores.svg reconstruction.svg) docs/figures
	cp results/plots/memory.svg docs/figures
	$(BIN)/snakemake --cores $(CORES) --configfile config/experiments/batch-size.yaml
	cp results/runs/batch-size/plots/comparison.svg docs/figures/batch-size.svg

bench: $(VENV)/test.stamp ## Measure everything (more than half an hour, 23 GB); HAPT=<folder of all recordings>
	$(call timed,benchmarks, $(BIN)/python benchmarks/run.py $(if $(HAPT),--hapt $(HAPT)) $(ARGS))

bench-small: $(VENV)/test.stamp ## Run the benchmarks on little data, as a check
	$(call timed,small benchmarks, $(BIN)/python benchmarks/run.py --size small \
		--output benchmarks/results/small.md $(ARGS))

lock: $(BIN)/python ## Lock the newest versions that pyproject.toml allows
	$(PIP) install uv==$(UV)
	$(COMPILE) pyproject.toml --extra all --group test -o envs/test.txt
	$(COMPILE) pyproject.toml --extra report --extra explore -c envs/test.txt -o envs/run.txt
	$(COMPILE) pyproject.toml --extra formats -c envs/test.txt -o envs/formats.txt
	$(COMPILE) pyproject.toml --extra formats-eeg -c envs/test.txt -o envs/formats-eeg.txt
	$(COMPILE) pyproject.toml --extra formats-hdf5 -c envs/test.txt -o envs/formats-hdf5.txt
	$(COMPILE) pyproject.toml --extra formats-seismic -c envs/test.txt -o envs/formats-seismic.txt
	$(COMPILE) pyproject.toml --extra report --extra explore --extra slurm -c envs/test.txt -o envs/slurm.txt
	$(COMPILE) pyproject.toml --group docs -c envs/test.txt -o envs/docs.txt
	$(COMPILE) --group pyproject.toml:fuzz -c envs/test.txt -o envs/fuzz.txt
	$(BIN)/python envs/pin_conda.py

clean: ## Remove results, logs and .venv; keep recordings and configuration
	rm -rf $(VENV) .snakemake results logs build dist docs/gallery report.html benchmarks/results
	rm -rf .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp records the time of an installation. If the lock file is newer, it is installed again.
$(VENV)/%.stamp: envs/%.txt | $(BIN)/python
	@echo "Installing $$(grep -c == $<) packages of $< into $(VENV); this takes a minute or more."
	$(call timed,setting up $*, $(PIP) install --require-hashes -r $< && touch $@)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo >&2 \
		'memwave needs Python 3.11 or newer; $(PYTHON) is not. Try: make PYTHON=python3.12 ...'; exit 1; }
	$(PYTHON) -m venv $(VENV)
