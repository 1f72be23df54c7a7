#!/usr/bin/env bash
# Makes a bare Debian 12 by debootstrap, which is kept for a week in .native, and prints
# where it is, a tar.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf 'bare: %s\n' "$*" >&2; }
base=.native/debian-12-bare.tar
[ -z "$(find "$base" -mtime -7 2>/dev/null)" ] || { echo "$base"; exit; }
[ "$(id -u)" = 0 ] || { say "it needs root, for chroot"; exit 1; }
command -v debootstrap >/dev/null || { say "debootstrap is missing (apt-get install debootstrap)"; exit 1; }
say "making a bare Debian 12"
mkdir -p .native
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
debootstrap --variant=minbase bookworm "$temp" >"$base.log" || { say "debootstrap: $(tail -n 1 "$base.log")"; exit 1; }
rm -rf "$temp"/var/cache/apt/archives/*.deb "$temp"/var/lib/apt/lists/*
tar -C "$temp" --one-file-system -cf "$base.new" . && mv "$base.new" "$base"
echo "$base"
