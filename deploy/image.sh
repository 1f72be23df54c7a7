#!/usr/bin/env bash
# Builds the image: image.sh [cpu|cuda] [OPTION...], with the first of docker, podman and
# buildah that is here. VERSION names it; further options are for that program's `build`.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:-cpu}
shift || true
case $target in cpu) suffix='' ;; cuda) suffix=-cuda ;; *) echo "usage: deploy/image.sh [cpu|cuda] [OPTION...]" >&2; exit 1 ;; esac
version=${VERSION:-$(git describe --tags --always --dirty)}
args=(-f deploy/Dockerfile --target "$target" -t "${IMAGE:-frostwatch}:$version$suffix" --build-arg "VERSION=$version"
  --build-arg "COMMIT=$(git rev-parse HEAD)" --build-arg "SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)" "$@")
for engine in ${ENGINE:-docker podman buildah}; do
  command -v "$engine" >/dev/null || continue
  case $engine in
  docker) exec docker build "${args[@]}" . ;;
  # HEALTHCHECK is no part of the OCI's format.
  *) exec "$engine" build --format docker --ignorefile deploy/Dockerfile.dockerignore "${args[@]}" . ;;
  esac
done
echo "image: none of docker, podman and buildah is here" >&2
exit 1
