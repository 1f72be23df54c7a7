#!/usr/bin/env bash
# Tries the release as its users do, on a bare Debian 12 without Go, compiler and network:
# release-test.sh [ARCHIVE], as root. Without an archive it builds one. The bare root is
# made by debootstrap and kept for a week in .native.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'release-test: %s (%s s)\n' "$*" "$SECONDS" >&2; }
die() { say "$*"; exit 1; }

bare() {
  local base=.native/debian-12-bare.tar temp
  [ -z "$(find "$base" -mtime -7 2>/dev/null)" ] || { echo "$base"; return; }
  command -v debootstrap >/dev/null || die "debootstrap is missing (apt-get install debootstrap)"
  say "making a bare Debian 12"
  mkdir -p .native
  temp=$(mktemp -d)
  debootstrap --variant=minbase bookworm "$temp" >"$base.log" || die "debootstrap: $(tail -n 1 "$base.log")"
  rm -rf "$temp"/var/cache/apt/archives/*.deb "$temp"/var/lib/apt/lists/*
  tar -C "$temp" --one-file-system -cf "$base.new" . && mv "$base.new" "$base"
  rm -rf "$temp"
  echo "$base"
}

[ "$(id -u)" = 0 ] || die "it needs root, for chroot"
archive=${1:-}
if [ -z "$archive" ]; then
  deploy/release.sh
  archive=dist/frostwatch-${VERSION:-$(git describe --tags --always --dirty)}-linux-$(go env GOARCH).tar.gz
fi
base=$(bare)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
tar -C "$root" -xf "$base"
mkdir "$root/dist"
cp "$archive" "$(dirname "$archive")/SHA256SUMS" "$(dirname "$archive")/install.sh" deploy/release-inside.sh "$root/dist/"
say "running in the bare root"
# Mounts, processes and addresses of its own: all end with it, and there is no network but
# its own loopback.
# shellcheck disable=SC2016 # the inner shell expands it
unshare --mount --net --pid --fork --kill-child bash -c '
  mount -t proc proc "$1/proc" && ip link set lo up && exec chroot "$1" /usr/bin/env -i PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root sh /dist/release-inside.sh' \
  release-test "$root"
say "ok"
