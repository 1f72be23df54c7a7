# Frostwatch. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
UP ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what is needed to build and run
	@deploy/setup.sh run

.PHONY: setup-test
setup-test: ## install what the tests need as well
	@deploy/setup.sh test

.PHONY: build
build: setup ## build ./frostwatch
	@go build -trimpath -ldflags '-X main.version=$(VERSION)' -o frostwatch .

.PHONY: up
up: build ## set up, build and run everything on this machine (UP="--ports auto ..." passes flags)
	@./frostwatch up $(UP)

.PHONY: test
test: setup-test build vet lint unit ## set up and run every test

.PHONY: vet
vet: ## go vet
	go vet ./...

.PHONY: lint
lint: ## golangci-lint
	.tools/golangci-lint run --timeout 15m ./...

.PHONY: unit
unit: ## go test -race, the end-to-end tests included
	go test -race -timeout 20m -p 2 ./...

.PHONY: bench
bench: build ## measure this machine
	@./frostwatch bench

.PHONY: clean
clean: ## remove what was built and fetched
	rm -rf frostwatch .native .tools
