#!/usr/bin/env bash
# scripts/release.sh [--publish]: everything a release consists of, in release/. Without --publish nothing leaves this machine.
# RELEASE_BASE_URL: where archives will be downloaded from, for the krew manifest. SEA_NODE: a Node that can build executables.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
cd "$root"
publish=""
case "${1:-}" in
  --publish) publish=1 ;;
  "") ;;
  *) echo "release: $1 is no option; there is --publish" >&2; exit 64 ;;
esac
version="$(node -p 'require("./package.json").version')"
grep -q "^## $version" CHANGELOG.md || { echo "release: CHANGELOG.md has no section $version" >&2; exit 1; }
[ -z "$publish" ] || [ -z "$(git status --porcelain)" ] || { echo "release: there are uncommitted changes" >&2; exit 1; }

out="$root/release"
rm -rf "$out" && mkdir -p "$out"
node scripts/build.mjs
node scripts/licences.mjs --check
node scripts/generate-docs.mjs --check
npm pack --silent --ignore-scripts --pack-destination "$out"

platform="$(node -p '`${process.platform}-${process.arch}`')"
if node scripts/sea.mjs "$out/sea/kubectl-meshtriage"; then
  cp LICENSE NOTICE "$out/sea/"
  ln -s kubectl-meshtriage "$out/sea/meshtriage"
  # The same files give the same archive, whoever packs them and when.
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -C "$out/sea" -cf - . |
    gzip -n > "$out/meshtriage-$platform.tar.gz"
  rm -r "$out/sea"
else
  echo "release: no executable for $platform" >&2
fi
(cd "$out" && sha256sum meshtriage-*.t*gz > SHA256SUMS)

manifest="$(sed -e "s|@VERSION@|$version|g" -e "s|@BASE_URL@|${RELEASE_BASE_URL:-https://example.invalid/releases}|g" packaging/krew/meshtriage.yaml)"
while read -r sum name; do
  key="$(printf '%s' "$name" | sed -nE 's/^meshtriage-([a-z]+-[a-z0-9]+)\.tar\.gz$/\1/p' | tr 'a-z-' 'A-Z_')"
  [ -z "$key" ] || manifest="${manifest//@SHA256_$key@/$sum}"
done < "$out/SHA256SUMS"
# Archives of other platforms come from their own machines; until then their lines say so.
printf '%s\n' "$manifest" > "$out/krew-meshtriage.yaml"

cat "$out/SHA256SUMS"
if [ -n "$publish" ]; then
  # Provenance ties the package to the commit and the workflow that built it; npm refuses it outside of a supported CI.
  npm publish --provenance --access public "$out/meshtriage-$version.tgz"
else
  npm publish --dry-run --ignore-scripts "$out/meshtriage-$version.tgz" 2>&1 | grep -E "package size|total files" || true
  echo "dry run: nothing was published"
fi
