# Frostwatch. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
UP ?=
GPU_ONLY := triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-nvtx nvidia-cuda-cccl

# The tests would fight over the machine, and all of it waits for the set-up.
.NOTPARALLEL:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what is needed to build and run
	@deploy/setup.sh run

.PHONY: setup-test
setup-test: ## install what the tests need as well
	@deploy/setup.sh test

.PHONY: build
build: setup ## build ./frostwatch
	@deploy/step.sh 'building ./frostwatch (the first time two minutes or more: Go fetches and compiles what it is made of)' \
	  go build -ldflags '-X main.version=$(VERSION)' -o frostwatch ./cmd/frostwatch

.PHONY: up
up: build ## set up, build and run everything on this machine (UP="--ports auto ..." passes flags)
	@./frostwatch up $(UP)

.PHONY: test
test: setup-test build lint test-train unit e2e ## set up and run every test

.PHONY: lint
lint: setup-test ## golangci-lint, with go vet
	.tools/golangci-lint run --timeout 15m ./...

.PHONY: test-train
test-train: setup-test build ## ruff and pytest of the Python in train/
	cd train && .venv/bin/ruff check . && .venv/bin/python -m pytest tests demo/tests

# What a GPU alone needs is left out: the tests have none, and it is another gigabyte.
.PHONY: lock-train
lock-train: ## write train/requirements.txt anew from train/pyproject.toml
	@[ -x .tools/uv/bin/uv ] || { python3 -m venv .tools/uv && .tools/uv/bin/pip install -q uv==0.13.9; }
	@mkdir -p .tools && head -n 3 train/requirements.txt > .tools/lock
	@cd train && ../.tools/uv/bin/uv pip compile pyproject.toml --extra demo --extra test --python-version 3.11 --universal \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url $(addprefix --no-emit-package ,$(GPU_ONLY)) -q >> ../.tools/lock
	@mv .tools/lock train/requirements.txt

.PHONY: unit
unit: setup-test ## go test -race of every package but the end-to-end tests
	go test -race -vet=off -timeout 15m -p 3 $$(go list ./... | grep -v /internal/e2e)
	@files=$$(find . -name '*_norace_test.go' -not -path './.*'); set -x; \
	  go test -vet=off -timeout 15m -run "^($$(sed -n 's/^func \(Test[A-Za-z0-9]*\).*/\1/p' $$files | paste -sd '|'))$$" $$(dirname $$files | sort -u)

# libav itself is not built with it: what is found are faults of our own C, and what
# libav does wrong with memory that it passes to the C library.
BROKEN ?= 10m
.PHONY: asan
asan: setup-test ## media's tests, and broken streams (BROKEN=10m of each codec), under AddressSanitizer
	FROSTWATCH_BROKEN=$(BROKEN) go test -asan -count=1 -timeout 60m -v -run 'BrokenStreams' ./media
	go test -asan -count=1 -timeout 60m -run 'Decode|Demand|Damage|Shape|Stream|Film|Recording|Turn|Reopen|Encode|Mask' ./media ./media/jpeg ./media/pixels

# Alone, because it watches video in real time.
.PHONY: trial-notify
trial-notify: setup-test build ## a thousand alerts in a minute, a receiver that is down half of the time, notify killed at random (2 minutes)
	FROSTWATCH_TRIAL=1 go test -count=1 -timeout 10m -v -run NotifyIsKilled ./internal/e2e

.PHONY: e2e
e2e: setup-test build ## the built program, tried as its users do
	go test -race -vet=off -count=1 -timeout 20m ./internal/e2e

FOR ?= 2m
.PHONY: bench-console
bench-console: setup-test ## a wall of a hundred simulated cameras in Chromium, for FOR=2m: paint, weight, memory
	FROSTWATCH_BENCH_CONSOLE=$(FOR) go test -count=1 -timeout 0 -v -run 'TestBudgets$$' ./console

.PHONY: bench
bench: build ## measure this machine
	@./frostwatch bench

.PHONY: test-setup
test-setup: ## set up from nothing in a bare Debian 12, to the first alert (as root; debootstrap)
	@deploy/setup-test.sh

.PHONY: release
release: ## build dist/frostwatch-VERSION-linux-ARCH.tar.gz, which needs nothing installed (VERSION=v1.2.3)
	@VERSION='$(VERSION)' deploy/release.sh

.PHONY: release-test
release-test: ## try the release on a bare Debian 12 (as root; debootstrap)
	@VERSION='$(VERSION)' deploy/release-test.sh

TARGET ?= cpu
.PHONY: image
image: ## build the image frostwatch:VERSION by docker, podman or buildah (TARGET=cuda for GPUs)
	@VERSION='$(VERSION)' deploy/image.sh $(TARGET)

.PHONY: image-test
image-test: ## build the image without a registry, and run the stages out of it (as root; buildah, debootstrap)
	@VERSION='$(VERSION)' deploy/image-test.sh

# A module of its own, so that the program's has nothing of Kubernetes.
.PHONY: chart-test
chart-test: build ## lint, render and test the Helm chart and compose.yaml
	cd deploy/check && FROSTWATCH='$(CURDIR)/frostwatch' go test -count=1 -timeout 15m ./...

.PHONY: clean
clean: ## remove what was built and fetched
	rm -rf frostwatch dist .native .tools train/.venv
