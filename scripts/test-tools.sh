#!/usr/bin/env bash
# Installs the real clients and tools the tests run against, where they are missing. Debian and Ubuntu; root or sudo.
set -euo pipefail

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need curl curl
need git git
need wget wget
need openssl openssl
need python3 python3
need chromium chromium
need certutil libnss3-tools
need javac openjdk-17-jdk-headless
need prlimit util-linux
need squid squid-openssl
need microsocks microsocks
need zstd zstd
need redis-server redis-server
need nghttp nghttp2-client
need prometheus prometheus
need systemd-analyze systemd
need prometheus-alertmanager prometheus-alertmanager
need rsyslogd rsyslog
need age age
need mvn maven
[ -x /usr/lib/git-core/git-http-backend ] || missing+=(git)
compgen -G '/usr/lib/*/rsyslog/lmnsd_gtls.so' >/dev/null || missing+=(rsyslog-gnutls)

if [ ${#missing[@]} -gt 0 ]; then
  run=()
  [ "$(id -u)" = 0 ] || run=(sudo)
  echo "installing test tools: ${missing[*]}"
  "${run[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Python's own HTTP clients, in a folder of the project; tests that need them say so when the index cannot be reached.
if [ ! -x node_modules/.cache/python/bin/pip ]; then
  python3 -m venv --clear node_modules/.cache/python 2>/dev/null || {
    run=()
    [ "$(id -u)" = 0 ] || run=(sudo)
    DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    python3 -m venv --clear node_modules/.cache/python
  }
fi
node_modules/.cache/python/bin/python -c 'import requests, httpx, h2, websockets, grpc' 2>/dev/null ||
  node_modules/.cache/python/bin/python -m pip install -q requests==2.32.5 'httpx[http2]==0.28.1' websockets==17.4 grpcio==1.85.1 2>/dev/null ||
  echo "note: requests, httpx, websockets and grpcio cannot be installed here; their tests will say that they were not run"

# The schemas of Kubernetes, for the manifests in deploy/.
node_modules/.cache/python/bin/python -c 'import kubernetes_validate' 2>/dev/null ||
  node_modules/.cache/python/bin/python -m pip install -q kubernetes-validate==1.37.0 2>/dev/null ||
  echo "note: kubernetes-validate cannot be installed here; its test will say that it was not run"

# OpenTelemetry's own schema, for what is sent as OTLP.
node_modules/.cache/python/bin/python -c 'import opentelemetry.proto' 2>/dev/null ||
  node_modules/.cache/python/bin/python -m pip install -q opentelemetry-proto==1.38.0 2>/dev/null ||
  echo "note: opentelemetry-proto cannot be installed here; its tests will say that they were not run"

# A Kafka broker.
if ! compgen -G 'node_modules/.cache/kafka/kafka_2.13-*.jar' >/dev/null; then
  mvn -q -B -f test/support/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/node_modules/.cache/kafka" >/dev/null 2>&1 ||
    echo "note: Kafka cannot be fetched here; its test will say that it was not run"
fi

# The conformance tester for HTTP/2, where there is a Go toolchain to build it.
if [ ! -x node_modules/.cache/go/h2spec ] && command -v go >/dev/null 2>&1; then
  GOBIN="$PWD/node_modules/.cache/go" GOFLAGS=-modcacherw go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible >/dev/null 2>&1 ||
    echo "note: h2spec cannot be built here; its test will say that it was not run"
fi

# Open Policy Agent: the one on the PATH, else built once from its source and kept outside the project. Tests that find
# neither speak to a conformance server written for them, and say so.
opa_cache="${XDG_CACHE_HOME:-$HOME/.cache}/sallyport-test-tools"
if ! command -v opa >/dev/null 2>&1 && [ ! -x "$opa_cache/opa" ] && command -v go >/dev/null 2>&1; then
  echo "building Open Policy Agent from source"
  GOBIN="$opa_cache" GOFLAGS=-modcacherw CGO_ENABLED=0 go install github.com/open-policy-agent/opa@v1.18.2 >/dev/null 2>&1 ||
    echo "note: Open Policy Agent cannot be built here; its tests run against a conformance server"
fi
