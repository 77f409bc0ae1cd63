# BackOffice. "make help" lists the targets; "make run" is the first to try.

GO ?= go
BIN := bin/backoffice
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1.0)
FUZZTIME ?= 10s
SHOTS ?= tmp/shots
ROUNDS ?= 200
SEED ?=

.PHONY: help run build generate test check unit browser bench faults fuzz screenshots clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Build and start on http://localhost:8080, with the rehearsal sandbox on :8081
	./$(BIN) rehearse

build: ## Build the one binary, bin/backoffice
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/backoffice

generate: ## Draw the Go code of the templates anew
	$(GO) tool templ generate -path web/templates >/dev/null

test: check ## Everything: generated code, format, vet, staticcheck, arrows, all tests with -race, the browser
	@scripts/needs.sh gcc chromium
	$(GO) test -race -count=1 -timeout 20m ./...

check: ## What needs no test run: generated code is current, gofmt, vet, staticcheck
	@scripts/check.sh

unit: ## All tests but those in the browser
	@scripts/needs.sh gcc
	$(GO) test -race $$($(GO) list ./... | grep -v /e2e)

browser: ## The tests in the browser
	@scripts/needs.sh chromium
	$(GO) test -count=1 -timeout 20m ./e2e

# pipefail, so that a failing run does not hide behind grep.
bench: SHELL := bash
bench: ## Print the ratios of the pages to a bare handler, saves a commit, start, memory, what the audit log, re-sealing and backups cost, and what a sign-in tells
	set -o pipefail; $(GO) test -tags bench -count 1 ./e2e/bench -run '^Test(Bench|Audit|Keys|Backup)$$' -timeout 30m -v | grep -E '^(ok  |MISSED|    |[0-9]+ goals|FAIL|---)'
	set -o pipefail; $(GO) test -run '^$$' -bench '^BenchmarkSignInTellsNothing$$' -benchtime 1x -count 1 ./internal/auth | grep -E '^(ok  |MISSED|FAIL|---)'

# pipefail, as above. The rest of the log of the programs is of no interest here.
faults: SHELL := bash
faults: ## Kill the program ROUNDS (200) times under load, break its disk, overload it; SEED repeats a run
	set -o pipefail; BACKOFFICE_FAULT_ROUNDS=$(ROUNDS) BACKOFFICE_FAULT_SEED=$(SEED) $(GO) test -count 1 ./cmd/backoffice -run '^Test(Killed|Fault)' -timeout 60m -v | grep -E '^(ok  |    |FAIL|---|panic)'

fuzz: ## Run every fuzz target for FUZZTIME (10s) each
	@scripts/fuzz.sh $(FUZZTIME)

screenshots: ## Take the pictures of every page, in both themes and widths, into SHOTS
	@scripts/needs.sh chromium
	$(GO) test ./e2e -run '^TestScreenshots$$' -shots "$(abspath $(SHOTS))" -timeout 20m

clean: ## Remove what was built; ./data stays
	rm -rf bin
