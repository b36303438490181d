#!/usr/bin/env bash
# scripts/smoke-node.sh [VERSION…]: the built program on the oldest Node it promises to run on, and on the newest LTS.
# The `node` package on npm brings them.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME="$work/state" XDG_CONFIG_HOME="$work/config"
[ $# -gt 0 ] || set -- 20.19 26
for version in "$@"; do
  mkdir "$work/$version" && cd "$work/$version"
  printf '{"name":"smoke","private":true}\n' > package.json
  npm install --silent --no-audit --no-fund --foreground-scripts "node@$version"
  node="node_modules/node/bin/node"
  [ -x "$node" ] || node="node_modules/.bin/node"
  "$node" --version
  "$node" "$root/dist/main.js" --version
  "$node" "$root/dist/main.js" demo tls-conflict -q -o short
  "$node" "$root/dist/main.js" demo ambient -q -o json > note.json
  "$node" "$root/dist/main.js" note render note.json -o markdown | head -n 1
  "$node" "$root/dist/main.js" explain IST0101 | head -n 2
  "$node" "$root/dist/main.js" runbook lint "$root/runbooks/http-503.yaml"
done
