# The version control describes itself as; a tree without history is a development version.
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 20s
LINT     := bin/golangci-lint
LINT_VERSION := v2.15.0
NODE_PEERS   := @duckdb/node-api@1.5.6-r.1 papaparse@5.7.1 zod@4.6.7

PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
BUILD     := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'

.DEFAULT_GOAL := help
.PHONY: help build release demo pictures test torture lint bench fuzz clean
.DELETE_ON_ERROR:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/claimline, one static file
	$(BUILD) -o bin/claimline ./cmd/claimline

release: ## build for linux, darwin and windows, amd64 and arm64, with SHA256SUMS, into out/release
	@rm -rf out/release && mkdir -p out/release
	@set -e; for platform in $(PLATFORMS); do \
		system=$${platform%/*} processor=$${platform#*/} suffix=; \
		if test $$system = windows; then suffix=.exe; fi; \
		echo "building claimline $(VERSION) for $$platform"; \
		GOOS=$$system GOARCH=$$processor $(BUILD) -o out/release/claimline-$(VERSION)-$$system-$$processor$$suffix ./cmd/claimline; \
	done
	@cd out/release && sha256sum claimline-* >SHA256SUMS && cat SHA256SUMS

demo: build ## play the whole job on the sample organization, in out/demo
	@bash samples/demo.sh

pictures: build ## draw samples/pictures/*.png, the pictures of the README: the report, and four pages
	@bash .ci/need chromium=chromium
	@bash samples/pictures.sh

# The race detector is built with cgo, the program without. It watches SQLite's driver, not what was translated from
# C below it, whose memory lies where the detector never looks: to ask it all the same takes half of all the time.
# Without the detector, the tests of whatever has a database run on PostgreSQL once more, but for those that their
# package leaves out by name: the laws, the commands, the pages, and whatever kills, freezes and interrupts. Of the
# thousands of variants of awkward files these two see a part; all of them run last.
# Vet is lint's affair.
test: ## run all tests with the race detector, and on PostgreSQL without; installs what they need
	@bash .ci/need build-essential=gcc chromium=chromium postgresql=/usr/lib/postgresql/*/bin/initdb
	CGO_ENABLED=1 .ci/postgres go test -race -gcflags='modernc.org/...=-race=false' -gcflags='modernc.org/sqlite=-d=checkptr=0' -vet=off -timeout 30m ./...
	CGO_ENABLED=0 CLAIMLINE_TEST_ON=postgres .ci/postgres go test -vet=off -timeout 30m \
		$$(grep -rl --include='*_test.go' pipeline/store/testdb cmd pipeline | xargs -n1 dirname | sort -u | sed 's,^,./,')
	CGO_ENABLED=0 go test -vet=off -timeout 30m -run '^TestHunt' ./cmd/claimline

FAULTS := ^Test(WorkersKilled|WorkerFrozen|WorkerCutOff|ServerRestarted|SameUsersAtOnce|ClocksOff)$$
torture: ## kill, freeze and cut off workers, and restart PostgreSQL, ten times as often as the tests do
	@bash .ci/need postgresql=/usr/lib/postgresql/*/bin/initdb
	CGO_ENABLED=0 CLAIMLINE_TORTURE=1 .ci/postgres go test -count=1 -timeout 30m -v -run '$(FAULTS)' ./pipeline/jobs

# Vet is one of the linters; for other systems it stands alone. Without cgo, what is compiled for the linter need
# not be compiled again for the tests on PostgreSQL.
lint: export CGO_ENABLED = 0
lint: $(LINT) ## check formatting, go vet for every system, golangci-lint and go.mod
	@unformatted=$$(gofmt -l cmd pipeline schema) && test -z "$$unformatted" || \
		{ echo "not formatted, run: gofmt -w" $$unformatted >&2; exit 1; }
	$(LINT) run
	@set -e; for system in darwin windows; do echo "GOOS=$$system go vet ./..."; GOOS=$$system go vet ./...; done
	go mod tidy -diff

# Another version number here installs that version at the next run.
$(LINT): Makefile
	@if ! $(LINT) version 2>/dev/null | grep -qF 'version $(LINT_VERSION:v%=%) '; then \
		echo "installing golangci-lint $(LINT_VERSION); this takes a few minutes" >&2; \
		GOBIN='$(CURDIR)/bin' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION); fi
	@touch $(LINT)

# PEERS=install gets what the program is compared with; what is missing is skipped. BENCH passes flags on: make bench BENCH='-only import'
bench: build ## measure a million rows beside the peers, under 20 minutes
ifeq ($(PEERS),install)
	@bash .ci/need sqlite3=sqlite3 csvkit=csvclean miller=mlr python3=python3 nodejs=node npm=npm
	npm install --silent --no-audit --no-fund --no-save --prefix out/bench $(NODE_PEERS)
endif
	CGO_ENABLED=0 go build -trimpath -o bin/claimline-bench ./cmd/claimline-bench
	bin/claimline-bench bench $(BENCH)
	@if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; \
		then DURABLE=1 .ci/postgres go test -run '^$$' -bench . -benchtime 1x ./pipeline/jobs; \
		else echo "skipped: several workers on PostgreSQL, which is not installed" >&2; fi

fuzz: ## run every fuzz target for FUZZTIME (20s)
	@set -e; for package in $$(go list ./...); do \
		targets=$$(go test -list '^Fuzz' $$package); \
		for target in $$(echo "$$targets" | grep '^Fuzz'); do \
			echo "== $$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; done

clean: ## remove what was built, but for the linter
	rm -rf bin/claimline bin/claimline-bench out
