#!/usr/bin/env bash
# Installs the peers that the bench measures against, where they are missing. Debian and Ubuntu; root or sudo.
set -euo pipefail

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need squid squid-openssl
need nginx nginx-light
need mitmdump mitmproxy
need taskset util-linux
need gcc gcc
[ -e /usr/include/hs/hs.h ] || missing+=(libhyperscan-dev libc6-dev)

if [ ${#missing[@]} -gt 0 ]; then
  run=()
  [ "$(id -u)" = 0 ] || run=(sudo)
  echo "installing bench peers: ${missing[*]}"
  "${run[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
