#!/usr/bin/env bash
# Tries the release as its users do, on a bare Debian 12 without Go, compiler and network:
# release-test.sh [ARCHIVE], as root. Without an archive it builds one.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'release-test: %s (%s s)\n' "$*" "$SECONDS" >&2; }
die() { say "$*"; exit 1; }

[ "$(id -u)" = 0 ] || die "it needs root, for chroot"
archive=${1:-}
if [ -z "$archive" ]; then
  deploy/release.sh
  archive=dist/frostwatch-${VERSION:-$(git describe --tags --always --dirty)}-linux-$(go env GOARCH).tar.gz
fi
base=$(deploy/bare.sh)
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
