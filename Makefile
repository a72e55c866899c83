# The front door. Each target is a script under scripts/ that says what it does and installs.
.DEFAULT_GOAL := help
.PHONY: help build run test check model kill simulate flood conformance bench sizes profile fuzz asan tsan format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the release binaries into .build/release
	@scripts/build.sh

run: ## build and start the server with its embedded defaults on loopback
	@scripts/run.sh

test: ## build and run every suite: format, shellcheck, unit, end to end
	@scripts/test.sh

check: ## the quick gates: format, shellcheck, import directions
	@scripts/check.sh

model: ## play calls in any order against a reference of their rules, SEEDS=10000 times
	@scripts/model.sh

kill: ## kill a server under call traffic, ROUNDS=200 times, and see that nothing acknowledged is lost
	@scripts/kill.sh

simulate: ## simulate a thousand clients on a bad network, SEEDS=100 times
	@scripts/simulate.sh

flood: ## measure what calls lose while somebody floods their shard
	@scripts/flood.sh

conformance: ## run the conformance tests of Engine.IO and Socket.IO again and again, ROUNDS=50 times
	@scripts/conformance.sh

bench: ## measure the relay and signaling beside other servers, and databases; writes docs/benchmarks*.md (OPTIONS=--quick: a smoke test)
	@scripts/bench.sh $(OPTIONS)

sizes: ## size deployments of up to a million calls, with their relays in virtual time; writes docs/sizes.md
	@scripts/sizes.sh $(OPTIONS)

profile: ## sample where a relayed packet's time goes, by perf (OPTIONS='--load video-gso --rate 25000')
	@scripts/profile.sh $(OPTIONS)

fuzz: ## fuzz a core: T=message|channeldata|deframer|icmp|relay, TIME=seconds, or INPUT=file to replay
	@scripts/fuzz.sh "$(T)" "$(or $(INPUT),$(TIME),60)"

asan: ## the Swift tests and end-to-end tests of the relay under AddressSanitizer
	@scripts/sanitize.sh address

tsan: ## the same under ThreadSanitizer
	@scripts/sanitize.sh thread

format: ## format all Swift sources in place
	@swift format --in-place --parallel --recursive Sources Tests Fuzz Package.swift

clean: ## remove what was built
	@rm -rf .build .venv .venv-synapse
