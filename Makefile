# The front door. Each target is a script under scripts/ that says what it does and installs.
.DEFAULT_GOAL := help
.PHONY: help build run test check format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the release binaries into .build/release
	@scripts/build.sh

run: ## build and start the server with its embedded defaults on loopback
	@scripts/run.sh

test: ## build and run every suite: format, shellcheck, unit, end to end
	@scripts/test.sh

check: ## the quick gates: format, shellcheck, import directions
	@scripts/check.sh

format: ## format all Swift sources in place
	@swift format --in-place --parallel --recursive Sources Tests Package.swift

clean: ## remove what was built
	@rm -rf .build .venv
