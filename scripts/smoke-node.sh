#!/usr/bin/env bash
# The built program on the newest LTS of Node, which the `node` package on npm brings.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
printf '{"name":"lts","private":true}\n' > package.json
npm install --silent --no-audit --no-fund --foreground-scripts "node@${NODE_LTS:-26}"
node="$work/node_modules/node/bin/node"
[ -x "$node" ] || node="$work/node_modules/.bin/node"
"$node" --version
"$node" "$root/dist/main.js" --version
"$node" "$root/dist/main.js" demo tls-conflict -q -o short
"$node" "$root/dist/main.js" explain IST0101 | head -n 2
