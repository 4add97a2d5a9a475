#!/usr/bin/env bash
# Brings what only the bench of xds-types needs: the module that protobufjs-cli writes of Envoy's messages, proto3-json-serializer,
# and descriptors for protobuf-es. Folder: $HEDDLE_BENCH_PEERS, default heddle/bench in the user's cache. A second call only prints.
set -euo pipefail

protobufjs=8.8.1 cli=2.7.1 serializer=4.1.0
here=$(cd "$(dirname "$0")" && pwd)
peers=${HEDDLE_BENCH_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/heddle/bench}
folder=$peers/protobuf-$protobufjs-$cli-$serializer

if [ ! -f "$folder/ready" ]; then
  rm -rf "$folder"
  mkdir -p "$folder"
  echo '{"private":true,"type":"module"}' >"$folder/package.json"
  npm install --prefix "$folder" --silent --no-audit --no-fund --ignore-scripts \
    "protobufjs@$protobufjs" "protobufjs-cli@$cli" "proto3-json-serializer@$serializer" >&2
  api=$here/../node_modules/@grpc/grpc-js-xds/deps
  "$folder/node_modules/.bin/pbjs" -t static-module -w esm --keep-case --no-comments --no-verify --no-delimited --no-service \
    -p "$api/envoy-api" -p "$api/xds" -p "$api/protoc-gen-validate" -p "$api/googleapis" -p "$folder/node_modules/protobufjs" \
    --dependency protobufjs/minimal.js -o "$folder/static.js" \
    envoy/config/{cluster/v3/cluster,endpoint/v3/endpoint,route/v3/route}.proto \
    envoy/extensions/transport_sockets/{raw_buffer/v3/raw_buffer,tls/v3/tls}.proto \
    envoy/extensions/upstreams/http/v3/http_protocol_options.proto
  (cd "$here/../../xds-types" && node --import tsx scripts/descriptor-set.ts "$folder/api.binpb")
  touch "$folder/ready"
fi
ln -sfn "$folder" "$peers/protobuf"
printf 'protobufjs-cli %s, proto3-json-serializer %s in %s\n' "$cli" "$serializer" "$peers/protobuf"
