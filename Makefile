# The commands of this project. `make help` lists them.

GO       ?= go
TOOLS    := $(CURDIR)/.tools
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD    := -trimpath -ldflags '-s -w -X main.release=$(VERSION)'
CYCLES   ?= 1000
FUZZTIME ?= 60s
LOAD     ?= 100000
STEPS    ?= 10000000
SEED     ?= $(shell date +%s)
BENCH    ?= .
ROUNDS   ?= 5
SECONDS  ?= 5
PEER     ?=

.DEFAULT_GOAL := help
.PHONY: baseline first-hour pictures docs release chart mail help tools check test build run kill9 histories writers faults fuzz bench

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tools: ## install what the tests need and is missing (Debian, as root)
	@scripts/tools

check: ## formatting, go vet, staticcheck
	@scripts/check

# The C of SQLite in Go is compiled without the race detector: it knows the memory
# of Go alone and looks away there, but each look costs time.
test: tools check ## everything: tools, check, all tests with the race detector, on SQLite and PostgreSQL
	$(GO) test -race -gcflags=modernc.org/sqlite/lib=-race=false -count=1 -timeout 40m ./...
	@$(MAKE) --no-print-directory histories STEPS=1000000 SEED=1

build: ## one static binary: ./statusbridge
	CGO_ENABLED=0 $(GO) build $(BUILD) -o statusbridge ./cmd/statusbridge

release: ## binaries of VERSION for all systems, with checksums and bills of materials: dist/VERSION
	@scripts/release $(VERSION)

chart: ## long the first time: Helm itself checks and renders deploy/chart
	@scripts/tools chart
	.tools/helm lint --strict deploy/chart
	.tools/helm template --kube-version 1.31 status deploy/chart > /dev/null
	.tools/helm template --kube-version 1.31 status deploy/chart --set replicas=2,postgres=true,existingSecret=keys,ingress.enabled=true > /dev/null

docs: ## docs/configuration.md, from the code
	CGO_ENABLED=0 $(GO) run ./cmd/statusbridge config reference > docs/configuration.tmp
	@mv docs/configuration.tmp docs/configuration.md

baseline: ## internal/store/migrations/baseline, what new databases are made from: after each new migration
	CGO_ENABLED=0 $(GO) test -count=1 -run TheBaselineGives ./internal/store -update

pictures: ## the pictures of the README, from the demo in Chromium, light and dark
	CGO_ENABLED=0 $(GO) run ./scripts/pictures docs

run: ## start the daemon here (./statusbridge.db, http://127.0.0.1:8080/)
	$(GO) run ./cmd/statusbridge

kill9: tools ## long: kill -9 in a burst of webhooks, CYCLES times (1000)
	STATUSBRIDGE_KILL_CYCLES=$(CYCLES) $(GO) test -count=1 -timeout 6h -v -run 'KillMinusNine' ./internal/app/scenario

histories: ## random histories through the engine, STEPS (10 million) steps of them, against its nine invariants
	STATUSBRIDGE_HISTORY_STEPS=$(STEPS) STATUSBRIDGE_HISTORY_SEED=$(SEED) $(GO) test -count=1 -timeout 12h -v -run 'TestInvariantsHoldInEveryHistory' ./internal/status

writers: ## long: people, a program and automation on one issue at the same instants, ROUNDS (1000) of them from SEED
	STATUSBRIDGE_HISTORY_ROUNDS=$(or $(ROUNDS),1000) STATUSBRIDGE_HISTORY_SEED=$(SEED) $(GO) test -count=1 -timeout 1h -v -run 'AtTheSameInstant|OverwritesUnseen' ./internal/web

faults: ## plant each known fault into the engine; the invariants must catch it
	$(GO) test -count=1 -v -run 'TestEachPlantedFaultIsCaught' ./internal/status

mail: tools ## long: mail to LOAD recipients (100000): kill -9, throughput beside the bare library, memory
	STATUSBRIDGE_MAIL_LOAD=$(LOAD) $(GO) test -count=1 -timeout 6h -v -run 'KillingASender|MarkingInBatches|BareLibrary|MoreRecipients' ./internal/broadcast

first-hour: tools ## long: README.md and docs/alertmanager.md followed line by line with an empty home and nothing compiled, timed
	STATUSBRIDGE_FIRST_HOUR=1 $(GO) test -count=1 -timeout 1h -v -run 'TheReadmeFollowed|ARealAlertmanagerTried' ./internal/app/scenario

fuzz: ## run each fuzz target for FUZZTIME (60s)
	@scripts/fuzz $(FUZZTIME)

bench: ## long: figures beside bare Fiber and nginx (BENCH, ROUNDS, SECONDS, PEER: see bench/README.md)
	@scripts/tools bench
	BENCH_ROUNDS=$(ROUNDS) BENCH_SECONDS=$(SECONDS) BENCH_PEER=$(PEER) BENCH_FIGURES=figures.json \
		$(GO) test -count=1 -timeout 6h -v -run '^$$' -bench '$(BENCH)' -benchtime 1x ./bench
