# `make run` and `make test` are all that a newcomer needs; `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help build run test unit lint cross race schemas generate bench bench-partitions bench-storage bench-cluster fuzz torture-crash torture-cluster sim sim-planted proof-streams proof-copiers proof-directory proof-franzgo proof-cluster image image-test links

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
LDFLAGS := -s -w
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
# Packages whose goroutines share memory; their tests run under the race detector too.
RACE := ./internal/vfs/... ./internal/commitlog/... ./internal/server/... ./internal/statemachine/... ./internal/partition/... ./internal/quorum/... ./internal/metadata/... ./internal/broker/...
# `make fuzz FUZZTIME=5m` gives each fuzz target longer.
FUZZTIME ?= 20s
# The processor of `make image`.
ARCH ?= $(shell go env GOARCH)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

build: ## the binary, bin/ottla
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ottla ./cmd/ottla

run: build ## build and start a broker on localhost:9092 with its data in ./data
	exec bin/ottla serve

test: ## everything: formatting, vet, staticcheck, cross-builds, unit, race, clients of other languages
	test/run

unit: ## the tests that need Go alone
	go test ./internal/... ./test/lint/

lint: ## gofmt, vet, staticcheck
	@files=$$(gofmt -l cmd internal test); [ -z "$$files" ] || { echo "not gofmt-clean: $$files"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

cross: ## build for every platform that is promised
	@for p in $(PLATFORMS); do echo "build $$p"; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} go build -o /dev/null ./cmd/ottla || exit 1; done

race: ## the concurrent packages under the race detector
	go test -race $(RACE)

schemas: ## read the message definitions in Kafka's published jars into internal/wire/schema (needs Maven)
	internal/wire/schemas/fetch

generate: ## internal/wire/schema to Go
	go generate ./internal/wire

fuzz: ## every fuzz target, FUZZTIME each
	test/fuzz $(FUZZTIME)

# `make torture-crash KILLS=1000 SEED=7` takes about half an hour; without SEED each run draws one and prints it.
KILLS ?= 100
SEED ?=

torture-crash: ## kill -9 a broker at work, KILLS times, and check after each that nothing acknowledged is lost (SEED=n)
	OTTLA_TORTURE_KILLS=$(KILLS) OTTLA_TORTURE_SEED=$(SEED) go test -count=1 -v -timeout 0 -run TestCrashLoop ./test/torture

# `make sim SEEDS=1-500` looks for seeds that fail, `make sim SEEDS=17 TIMES=20` looks at one again.
SEEDS ?= 1-20
NODES ?= 3
TIMES ?= 1

sim: ## clusters of NODES in one process, on simulated time, in which things go wrong: SEEDS=1-500, or one that failed
	go test -count=1 -v -timeout 0 -run 'TestSeeds$$' ./test/sim -sim.seeds $(SEEDS) -sim.nodes $(NODES) -sim.times $(TIMES)

sim-planted: ## plant the bugs of internal/planted one by one, and find each (BUG=name for one)
	go test -count=1 -v -timeout 0 -tags planted -run 'TestPlanted$$' ./test/sim $(if $(BUG),-sim.bug $(BUG))

torture-cluster: ## kill, pause, cut off three processes, fill and replace their disks, for MINUTES; nothing acknowledged may be lost (SEED=n)
	OTTLA_TORTURE_MINUTES=$(MINUTES) OTTLA_TORTURE_SEED=$(SEED) go test -count=1 -v -timeout 0 -run 'TestCluster$$' ./test/torture

# `make proof-streams MINUTES=30`; a SEED that a run has printed chooses the same faults; REAL=1 does it to real Kafka instead.
MINUTES ?= 10
RECORDS ?= 500000
REAL ?=
PROOF = OTTLA_PROOF_MINUTES=$(MINUTES) OTTLA_PROOF_SEED=$(SEED) OTTLA_PROOF_RECORDS=$(RECORDS) OTTLA_TEST_REAL=$(REAL) go test -count=1 -v -timeout 0 ./test/conformance

proof-streams: ## Kafka Streams counts words exactly once while broker and application are killed, for MINUTES each with classic and streams groups
	$(PROOF) -run TestStreamsWordCount

proof-copiers: ## a chain of transactional copiers that are killed like the broker, for MINUTES: every record once
	$(PROOF) -run TestCopierChain

proof-directory: ## a data directory is real Kafka's and Ottla's by turns, and applications go on in it for MINUTES each
	$(PROOF) -run 'TestDirectoryOfKafka|TestApplicationsWhileTheBrokerChanges'

proof-cluster: ## clients of four languages on three nodes to which everything happens, for MINUTES: they go on, and nothing is lost
	$(PROOF) -run TestClientsOfATorturedCluster

proof-franzgo: ## franz-go's own tests with RECORDS records
	$(PROOF) -run TestFranzGoSuite

bench: build ## Ottla and real Kafka on the same work, side by side (needs a JDK and Maven)
	go run ./bench

bench-partitions: build ## 10,000 partitions on Ottla and real Kafka: memory, starts and stops, throughput (needs a JDK and Maven)
	go run ./bench -partitions 10000

bench-storage: build ## what synced acknowledgements cost over 1 to 1,000 partitions, beside real Kafka (needs a JDK and Maven)
	go run ./bench -storage

# `make bench-cluster ROWS=failover ROUNDS=5 REAL=off` leaves Kafka out; ROWS: throughput, latency, memory, failover.
ROWS ?= .
ROUNDS ?= 3

bench-cluster: build ## three nodes of Ottla and of real Kafka: throughput, latency, memory, how long writes stall when a node dies (needs a JDK and Maven)
	go run ./bench -cluster -only '$(ROWS)' -rounds $(ROUNDS) $(if $(filter off,$(REAL)),-ottla-only)

links: build ## kafka-topics and the other names as symlinks in bin/
	bin/ottla links bin

image: build ## the container image ottla, of files alone: nothing is pulled (ARCH=arm64 for another processor)
	rm -rf bin/image
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -ldflags '$(LDFLAGS)' -o bin/image/$(ARCH)/ottla ./cmd/ottla
	bin/ottla links --target /usr/bin/ottla bin/image/links/usr/bin
	bin/ottla links --target /usr/bin/ottla bin/image/links/opt/kafka/bin
	mkdir -p bin/image/links/etc/kafka/docker bin/image/links/etc/confluent/docker bin/image/writable/var/lib/kafka/data
	ln -s /usr/bin/ottla bin/image/links/etc/kafka/docker/run
	ln -s /usr/bin/ottla bin/image/links/etc/confluent/docker/run
	mkdir -m 1777 bin/image/writable/tmp
	chmod -R a+rX bin/image
	docker build --build-arg TARGETARCH=$(ARCH) -t ottla .

image-test: ## build the image, run it with compose, reach it from the host (needs a running Docker engine)
	test/image/run
