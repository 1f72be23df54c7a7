#!/usr/bin/env bash
# Sets up from nothing in a bare Debian 12 and waits for the first alert, so that what a
# machine happens to have installed can't stand in for a missing step: setup-test.sh, as
# root. In the root are only the packages that docs/install.md asks for before `make up`, a
# clone of what is committed, and this machine's Go with its caches. It is gone afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup-test: %s (%s s)\n' "$*" "$SECONDS" >&2; }
die() { say "$*"; exit 1; }
[ "$(id -u)" = 0 ] || die "it needs root, for chroot"
base=$(deploy/bare.sh)
root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root" # apt reads as a user of its own
tar -C "$root" -xf "$base"
git clone -q . "$root/frostwatch"

# How this machine reaches registries, and what it trusts: settings, and no software.
rm -f "$root/etc/apt/sources.list"
for at in /etc/resolv.conf /etc/hosts /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/pip.conf /usr/local/share/ca-certificates; do
  [ -e "$at" ] || continue
  mkdir -p "$root$(dirname "$at")"
  rm -rf "${root:?}$at"
  cp -a "$at" "$root$at"
done
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # no package starts a service
chmod +x "$root/usr/sbin/policy-rc.d"
for at in "$(go env GOROOT)" "$(go env GOMODCACHE)" "$(go env GOCACHE)"; do mkdir -p "$at" "$root$at"; done

cat >"$root/inside.sh" <<'INSIDE'
set -eu
PATH=$1/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH DEBIAN_FRONTEND=noninteractive
apt-get -q update >/tmp/apt.log 2>&1 && apt-get -q install -y --no-install-recommends git make ca-certificates >>/tmp/apt.log 2>&1 || { tail -n 5 /tmp/apt.log; exit 1; }
cd /frostwatch
make build
./frostwatch up --ports auto --data /tmp/data >/tmp/up.log 2>&1 &
up=$!
n=0
until grep -q ' ALERT ' /tmp/up.log; do
  kill -0 $up 2>/dev/null && [ $n -lt 120 ] || { tail -n 20 /tmp/up.log; exit 1; }
  n=$((n + 1))
  sleep 1
done
kill $up
wait $up
INSIDE

say "in a bare Debian 12"
# The mounts and the processes are its own, and end with it.
# shellcheck disable=SC2016 # the inner shell expands it
unshare --mount --pid --fork --kill-child bash -euo pipefail -c '
  root=$1 go=$2
  for at in "${@:2}"; do mount --bind "$at" "$root$at"; done
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  exec chroot "$root" bash /inside.sh "$go"
' setup-test "$root" "$(go env GOROOT)" "$(go env GOMODCACHE)" "$(go env GOCACHE)" || die "from nothing to the first alert: it failed"
say "from nothing to the first alert"
