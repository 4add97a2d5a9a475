#!/usr/bin/env bash
# Builds the peer of the bench xds-server, packages/bench/peers/go-control-plane, with a Go of at least 1.24, and prints its version.
# Folder: $HEDDLE_BENCH_PEERS, default heddle/bench in the user's cache. A second call builds only what has changed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
peers=${HEDDLE_BENCH_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/heddle/bench}
PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || { echo "go-control-plane: no Go here; its rows are skipped" >&2; exit 0; }
mkdir -p "$peers"
(cd "$here/../peers/go-control-plane" && go build -trimpath -o "$peers/go-control-plane" .)
"$peers/go-control-plane" --version
