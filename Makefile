# Everything a developer runs by name. The work is done by cargo and by the scripts in tests/setup and tests/stand-ins,
# which install what is missing and do nothing where it is all there.
#
# `make --jobs=2 test` makes the base images while cargo compiles.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
# cargo would look for the job slots of a parallel make and complain that it cannot have them.
cargo := env --unset=MAKEFLAGS --unset=MFLAGS cargo

demo_sample := samples/the_readme_says_how_to_install_a_django_app
demo_images := python:3.11-slim-bookworm postgres:15-bookworm redis:7-bookworm

.PHONY: help
help: ## Shows this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand --tabs=24

.PHONY: demo
demo: packages engine ## Converts a Django app by its README, then builds, starts and smoke-tests it
	tests/stand-ins/build.sh $(demo_images)
	rm -rf target/demo && mkdir -p target/demo && cp -r $(demo_sample)/repo target/demo/repo
	$(cargo) run --release --quiet -- convert target/demo/repo --output target/demo/output --verify

# In the order of what fails soonest.
.PHONY: test
test: packages format-check clippy doc cargo-test goldens hostile-quick debian-test engine-test ## Runs all checks and tests

.PHONY: setup
setup: packages linters engine podman stand-ins ## Installs what the tests need: packages, linters, an engine, podman, base images

.PHONY: fmt
fmt: ## Formats the Rust code
	$(cargo) fmt

.PHONY: lint
lint: format-check clippy doc goldens ## Runs the checks that execute nothing: rustfmt, clippy, rustdoc, linters of generated files

# TRUTH is a file of facts, a [[repo]] for each repository; CORPUS the folder with their checkouts.
.PHONY: corpus
corpus: packages ## Plans the repositories in the folder CORPUS=… and scores them field by field against TRUTH=…
	@[ -d "$(CORPUS)" ] && [ -f "$(TRUTH)" ] || \
	  { echo 'usage: make corpus CORPUS=folder-of-repositories TRUTH=corpus.toml' >&2; exit 2; }
	$(cargo) build --release
	tests/corpus/score.py "$(TRUTH)" "$(CORPUS)" target/release/longshore

# LOGS is a folder with logs, Dockerfiles and labels; tests/diagnosis/score.py says how they are laid out.
.PHONY: diagnosis
diagnosis: packages ## Diagnoses the labelled logs of failed builds in the folder LOGS=… and scores them by category
	@[ -f "$(LOGS)/labels.tsv" ] || { echo 'usage: make diagnosis LOGS=folder' >&2; exit 2; }
	$(cargo) build
	tests/diagnosis/score.py "$(LOGS)" target/debug/longshore

# TARGETS are names of tests/fuzz/fuzz_targets; all where none is given.
.PHONY: fuzz
fuzz: packages ## Fuzzes what reads a stranger's files for SECONDS=60 seconds each, or only TARGETS="markdown whole"
	tests/fuzz/run.sh "$(or $(SECONDS),60)" $(TARGETS)

# SEEDS chooses corpora, each about 600 repositories: 0 is the one that is written down, others vary it. NAMES chooses cases by
# pieces of their names.
SEEDS ?= 0
.PHONY: hostile
hostile: linters hostile-judges ## Runs longshore over repositories that attack it, and judges all that it writes: SEEDS="0 1 2"
	$(cargo) build --release
	for seed in $(SEEDS); do \
	  tests/hostile/generate.py target/hostile --seed $$seed; \
	  target/tools/hostile/bin/python tests/hostile/run.py target/hostile --binary target/release/longshore $(NAMES) || exit 1; \
	done

.PHONY: hostile-scale
hostile-scale: hostile-judges ## Grows inputs of many kinds, and prints with which power of the size the cost grows
	$(cargo) build --release
	target/tools/hostile/bin/python tests/hostile/scale.py --binary target/release/longshore $(NAMES)

.PHONY: all-stand-ins
all-stand-ins: packages engine ## Makes a stand-in for every base image that recipes name
	tests/stand-ins/build.sh

.PHONY: bench
bench: packages ## Measures how long reading, planning and rendering take
	$(cargo) bench --bench pipeline

# WORDS chooses samples by pieces of their names.
.PHONY: bench-images
bench-images: linters stand-ins plain-stand-ins ## Measures the images of the samples beside a plain transcription of their READMEs
	$(cargo) bench --profile dev --features docker-tests --bench images -- $(WORDS)

.PHONY: clean-images
clean-images: ## Removes the stand-ins for base images, and what was built on them
	docker images --quiet --filter label=io.longshore.stand-in | sort -u | xargs --no-run-if-empty docker rmi --force

# The steps of the targets above.
.PHONY: packages format-check clippy doc cargo-test linters goldens hostile-judges hostile-quick debian-lists debian-test engine podman stand-ins plain-stand-ins engine-test

packages:
	tests/setup/packages.sh

format-check:
	$(cargo) fmt --check

clippy: packages format-check
	$(cargo) clippy --all-targets --all-features -- -D warnings

doc: packages clippy
	RUSTDOCFLAGS=-Dwarnings $(cargo) doc --no-deps

cargo-test: packages doc
	$(cargo) test

linters: packages
	tests/setup/linters.sh

goldens: linters
	tests/setup/lint-goldens.sh

hostile-judges: packages
	tests/setup/hostile.sh

# A part of each class, by the build that the tests have made.
hostile-quick: hostile-judges linters cargo-test
	tests/hostile/generate.py target/hostile-quick
	target/tools/hostile/bin/python tests/hostile/run.py target/hostile-quick --binary target/debug/longshore --quick --patience 5

engine: packages
	tests/setup/engine.sh

# What the samples are built on, and the services that they ask for.
stand-ins: engine
	tests/stand-ins/build.sh $$( \
	  { sed -nE 's/^FROM ([^ ]+).*/\1/p; s/^RUN --mount=type=bind,from=([^,]+),.*/\1/p' samples/*/expected/Dockerfile; \
	    sed -nE 's/^ *image: "([^"]+)"$$/\1/p' samples/*/expected/compose.yaml | grep -v ':dev$$'; } | sort -u)

# What plain transcriptions of their READMEs are built on.
plain-stand-ins: engine
	tests/stand-ins/build.sh $$(sed -nE 's/^FROM ([^ ]+)-slim(-[^ ]+)? AS build$$/\1\2/p' samples/*/expected/Dockerfile | sort -u)

debian-lists: packages
	tests/setup/debian-lists.sh

# The names of packages in the recipes, against Debian's own lists.
debian-test: debian-lists cargo-test
	$(cargo) test --features docker-tests --test debian

# Runs manifests as a cluster would, nearly.
podman: packages
	tests/setup/podman.sh

engine-test: stand-ins podman cargo-test goldens debian-test
	$(cargo) test --features docker-tests --test engine --test engine_faults --test build_place --test load --test manifests
