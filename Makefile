# One word per job. `make` alone lists them; the work is in scripts/.

# debug or release. Tests and demo share a debug build; of a release, the programs are linked differently, and built again.
CONFIG ?= debug
# Only the tests whose name matches this regular expression (make test FILTER=Keystore).
FILTER ?=
# 1 leaves the daemon of the demo running.
KEEP ?= 0
# 1 runs the demo without registries, on a chain of EVM blocks (make demo CHAIN=1).
CHAIN ?= 0
export CONFIG FILTER KEEP CHAIN

.DEFAULT_GOAL := help
.PHONY: help demo test build lint fmt proto bench clean

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  CONFIG=debug|release chooses the build. Everything missing is installed first (apt, Debian 12; root or sudo)."

demo: ## set up, start the daemon with two performers in Docker, run signed tasks through it (KEEP=1 leaves it up, CHAIN=1 reads a chain)
	@scripts/demo.sh

test: ## set up, build, run all tests, acceptance tests on real Docker included (FILTER=… narrows)
	@scripts/test.sh

build: ## set up and build the daemon, the SDK and the examples
	@scripts/setup.sh build
	@scripts/build.sh

lint: ## check formatting of Swift sources and correctness of scripts
	@scripts/lint.sh

fmt: ## reformat the Swift sources
	@scripts/lint.sh fix

proto: ## regenerate Sources/PonosAPI/Generated from Protos/
	@scripts/setup.sh proto
	@scripts/generate-protos.sh

bench: ## build in release mode and run the benchmarks, each beside its floor (ARGS='crypto journal --rounds 3' narrows)
	@scripts/bench.sh $(ARGS)

clean: ## remove everything that was built (installed packages and libraries stay)
	rm -rf .build .build-protoc Benchmarks/.build
