# Everything a newcomer needs: `make demo` and `make test` install what is missing, build and run.
# The build itself is CMake's; this file only names the usual ways into it.

BUILD ?= build
JOBS  ?= $(shell nproc)

.DEFAULT_GOAL := help
.PHONY: help packages build bundle demo test bench format lint clean

help: ## say what there is to do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

packages:
	@tools/install-packages build

# An existing configuration is kept: with `make test` before it, it has the tests and other options of the developer.
$(BUILD)/build.ninja: | packages
	@mkdir -p $(BUILD)
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release -DPARALLAX_TESTS=OFF >$(BUILD)/configure.log 2>&1 \
	  || { cat $(BUILD)/configure.log; exit 1; }

build: packages $(BUILD)/build.ninja ## install what is missing, build build/parallax
	@cmake --build $(BUILD) --target parallax -j $(JOBS)

demo: build ## the whole system on this machine, without any account: about half a minute
	@$(BUILD)/parallax demo

bundle: packages $(BUILD)/build.ninja ## one archive of the program that runs on any x86-64 Linux
	@cmake --build $(BUILD) --target parallax parallax_wrapper -j $(JOBS)
	@tools/bundle --build $(BUILD)

test: ## every check there is; ends with a table of what each part took
	@tools/install-packages build test
	@tools/test

bench: ## our speed as ratios to what others reach in the same run
	@tools/install-packages build bench
	@tools/bench

format: ## format all sources in place
	@tools/install-packages test
	@git ls-files -z --cached --others --exclude-standard '*.h' '*.cc' | xargs -0r clang-format-14 -i

lint: ## the checks without tests: layers, format, clang-tidy, headers
	@tools/install-packages build test
	@tools/test layers format configure headers
	@tools/tidy --build $(BUILD)

clean: ## remove what was built
	@rm -rf $(BUILD)
