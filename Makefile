# The face of the house.  Each target installs what it lacks and asks nothing.
#
#   make demo   [DATA=dir] [PORT=8080]   the whole product with its sandbox
#   make test   [DB=postgres]            unit, flow and browser tests
#   make bench  [ONLY=name]              the figures of docs/benchmarks.md
#   make lint                            formatter, linters, the map
#   make fuzz   [SECONDS=60] [ONLY=name] libFuzzer over every parser
#   make install [PREFIX=/usr/local]

PORT ?= 8080
DATA ?=
PREFIX ?= /usr/local
SECONDS ?= 60
ONLY ?=
DB ?= sqlite
PRESET ?= dev
JOBS := $(shell nproc)

.PHONY: all build demo test bench lint fuzz install clean

all: build

build:
	@tools/deps.sh build
	@tools/build.sh release

demo: build
	@tools/demo.sh "$(PORT)" "$(DATA)"

test:
	@tools/deps.sh test
	@tools/build.sh $(PRESET)
	@tools/test.sh $(PRESET) $(DB)

bench: build
	@tools/deps.sh bench
	@DB=$(DB) bench/run.sh $(ONLY)

lint:
	@tools/deps.sh lint
	@tools/lint.sh

fuzz:
	@tools/deps.sh fuzz
	@tools/build.sh fuzz
	@tools/fuzz.sh $(SECONDS) $(ONLY)

install: build
	@cmake --install build/release --prefix "$(PREFIX)"

clean:
	rm -rf build
