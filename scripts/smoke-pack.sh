#!/usr/bin/env bash
# Installs the packed tarball in an empty folder and uses it as a stranger would.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
tarball="$(cd "$root" && npm pack --silent --ignore-scripts --pack-destination "$work" | tail -n 1)"
cd "$work"
printf '{"name":"smoke","private":true}\n' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts "./$tarball"
bin=./node_modules/.bin
export XDG_STATE_HOME="$work/state" XDG_CONFIG_HOME="$work/config"
"$bin/meshtriage" --version
"$bin/kubectl-meshtriage" --version
"$bin/meshtriage" demo deny -q -o json > note.json
node -e '
const note = JSON.parse(require("fs").readFileSync("note.json", "utf8"))
if (note.verdict !== "cause" || note.causes[0].code !== "authz-deny-rule-matched") throw new Error(`the demo said ${note.verdict}: ${note.summary}`)
console.log(note.summary)
'
"$bin/meshtriage" explain UF,URX | head -n 3
"$bin/meshtriage" runbook list | head -n 3
code=0; "$bin/meshtriage" < /dev/null > out.txt 2> err.txt || code=$?
[ "$code" = 64 ] || { echo "without a terminal: exit $code, wanted 64"; exit 1; }
[ ! -s out.txt ] || { echo "help went to stdout"; exit 1; }
code=0; "$bin/kubectl-meshtriage" --help > help.txt || code=$?
grep -q '^Usage: kubectl meshtriage' help.txt || { echo "as a plugin it names itself otherwise: $(head -n 1 help.txt)"; exit 1; }
for name in $("$bin/meshtriage" demo --list | cut -d ' ' -f 1); do
  "$bin/meshtriage" demo "$name" -q -o short > /dev/null || { echo "the package lacks the demo $name"; exit 1; }
done
kilobytes="$(du -k "$work/$tarball" | cut -f 1)"
echo "$kilobytes kB packed"
[ "$kilobytes" -lt 2048 ] || { echo "the package has grown past 2 MB"; exit 1; }
