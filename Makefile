# Every target is a short name for a command that also works by itself.
.DEFAULT_GOAL := help
GO ?= go
FUZZTIME ?= 20s

.PHONY: help build test race fuzz golden golden-update fields bench e2e lint fmt run check clean

help: ## show this
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

build: ## the static binary, into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/ ./cmd/trailship

test: ## quick tests, with nothing but Go
	$(GO) test ./...

race: ## the same with the race detector
	$(GO) test -race ./...

fuzz: ## every fuzz target for FUZZTIME
	test/run --only fuzz

golden: ## documents against the golden cases: shows every difference
	$(GO) test ./pipeline/ecs -run 'Golden|Conformance|JavaMap' -count 1 -v

golden-update: ## take the documents of the real records as they are now
	$(GO) test ./pipeline/ecs -run TestGolden -count 1 -update
	git diff --stat -- pipeline/ecs/testdata/golden

fields: ## write docs/fields.md anew
	$(GO) test ./pipeline/ecs -run TestFieldsPage -count 1 -update

bench: ## where a record's time goes, with a profile; then throughput, memory, start and stop of the built binary
	mkdir -p bin
	$(GO) run ./test/hotpath -profile bin/hotpath.prof
	$(GO) tool pprof -top -nodecount 30 bin/hotpath.prof
	$(GO) run ./test/bench

e2e: ## everything, real servers included
	test/run

lint: ## vet and the linters
	test/run --only lint

fmt: ## format the code in place
	test/run --format

run: build ## the daemon, with CONFIG=file
	bin/trailship run --config $(or $(CONFIG),config.example.yaml)

check: ## formatting, lint and race tests, before every commit
	test/run --only fmt lint unit

clean: ## what was built, and the test cache
	rm -rf bin .cache
