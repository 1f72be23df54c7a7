#!/usr/bin/env bash
# Builds the image from deploy/Dockerfile and runs the stages out of it, as its user, on a
# read-only root and without any privilege, to the first alert: image-test.sh, as root.
# There need be no registry: both images that it is built from are made here, one by
# debootstrap, one of that and this machine's Go. What native.sh builds is kept in .native, and
# Go's caches are this machine's.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'image-test: %s (%s s)\n' "$*" "$SECONDS" >&2; }
die() { say "$*"; exit 1; }
[ "$(id -u)" = 0 ] || die "it needs root, for chroot"
deploy/setup.sh image
bare=$(deploy/bare.sh)

storage=$PWD/.native/images
mkdir -p "$storage"
b() { buildah --root "$storage/root" --runroot "$storage/run" --storage-driver "${STORAGE_DRIVER:-overlay}" "$@"; }
run=''
cleanup() {
  [ -z "$run" ] || { b umount "$run"; b rm "$run"; } >/dev/null 2>&1 || true
  umount "$storage/root/overlay" 2>/dev/null || true # else `make clean` can't remove it
}
trap cleanup EXIT

# The names that the Dockerfile asks for.
debian=$(sed -n 's/^ARG DEBIAN=//p' deploy/Dockerfile)
golang=$(sed -n 's/^ARG GO=//p' deploy/Dockerfile)
case $golang in *:"$(go env GOVERSION | sed s/^go//)"-bookworm) ;; *) die "the Dockerfile wants $golang, and here is $(go env GOVERSION)" ;; esac

base_images() {
  local c m
  if [ -z "$(b images -q "$debian" 2>/dev/null)" ] || [ -n "$(find "$bare" -newer "$storage/made" 2>/dev/null)" ] || [ ! -f "$storage/made" ]; then
    say "making $debian and $golang"
    c=$(b from scratch)
    m=$(b mount "$c")
    tar -C "$m" -xf "$bare"
    b umount "$c" >/dev/null
    b commit -q --rm "$c" "$debian" >/dev/null
    c=$(b from --pull-never "$debian")
    m=$(b mount "$c")
    cp -a "$(go env GOROOT)" "$m/usr/local/go"
    # By which this machine reaches its packages.
    cp -L /etc/ssl/certs/ca-certificates.crt "$m/etc/machine.crt"
    if [ -f /etc/apt/sources.list.d/debian.sources ]; then
      cp /etc/apt/sources.list.d/debian.sources "$m/etc/apt/sources.list.d/"
      : >"$m/etc/apt/sources.list"
    fi
    b umount "$c" >/dev/null
    b config --env PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --env GOTOOLCHAIN=local \
      --env SSL_CERT_FILE=/etc/machine.crt --env PIP_CERT=/etc/machine.crt "$c"
    b commit -q --rm "$c" "$golang" >/dev/null
    touch "$storage/made"
  fi
}

base_images
say "building the image"
image=localhost/frostwatch:test
version=${VERSION:-$(git describe --tags --always --dirty)}
b build --isolation=chroot --network=host --pull-never --layers --force-rm --format docker --ignorefile deploy/Dockerfile.dockerignore -f deploy/Dockerfile --target cpu -t "$image" \
  --volume "$(readlink -f .native):/src/.native" --volume "$(go env GOMODCACHE):/go/pkg/mod" --volume "$(go env GOCACHE):/root/.cache/go-build" \
  --build-arg "VERSION=$version" --build-arg "COMMIT=$(git rev-parse HEAD)" --build-arg "SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)" . >"$storage/build.log" 2>&1 ||
  die "the image could not be built: $(tail -n 15 "$storage/build.log")"

inspect() { b inspect --type image --format "$1" "$image"; }
[ "$(inspect '{{.Docker.Config.User}}')" = 65532:65532 ] || die "it runs as $(inspect '{{.Docker.Config.User}}')"
[ "$(inspect '{{.Docker.Config.Entrypoint}}')" = '[frostwatch]' ] || die "its entry point is $(inspect '{{.Docker.Config.Entrypoint}}')"
[ "$(inspect '{{.Docker.Config.Healthcheck.Test}}')" = '[CMD frostwatch healthcheck]' ] || die "its health check is $(inspect '{{.Docker.Config.Healthcheck}}')"
[ "$(inspect '{{.Docker.Config.StopSignal}}')" = SIGTERM ] || die "it is stopped by $(inspect '{{.Docker.Config.StopSignal}}')"

say "running out of the image"
run=$(b from --pull-never "$image")
root=$(b mount "$run")
say "$(du -sm "$root" | cut -f1) MB"
# Mounts, processes and addresses of its own: all end with it, and there is no network but
# its own loopback.
# shellcheck disable=SC2016 # the inner shell expands it
unshare --mount --net --pid --fork --kill-child bash -c 'ip link set lo up && exec bash "$2" "$1"' image-test "$root" deploy/image-inside.sh
say "ok"
