#!/usr/bin/env bash
# Builds dist/frostwatch-VERSION-linux-ARCH.tar.gz: the program, every library that it
# needs but glibc's, redis-server, licences, units, install.sh and an SBOM. Beside it lie
# the sources of FFmpeg as built, which its licence asks for, SHA256SUMS and install.sh.
# VERSION=... names the release; the default is what git describes. Where there is no git, as
# in the build of the image, COMMIT and SOURCE_DATE_EPOCH say the commit and its time.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'release: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
step() { say "$* ($((SECONDS))s)"; }

version=${VERSION:-$(git describe --tags --always --dirty)}
commit=${COMMIT:-$(git rev-parse HEAD)}
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)
arch=$(go env GOARCH)
[ "$arch" = "$(go env GOHOSTARCH)" ] || die "cross-building needs a C compiler and libraries for $arch: build on $arch (docs/install.md)"
name=frostwatch-$version-linux-$arch
stage=dist/$name
natives=$(mktemp)
trap 'rm -f "$natives"' EXIT

# What is glibc's own, which every Linux of glibc has, and must not be mixed.
glibc='^(linux-vdso|ld-linux[a-z0-9_-]*|libc|libm|libpthread|libdl|librt|libresolv)\.so'

# carry notes a part for the SBOM: its name, version, licence, package URL and file.
carry() { printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$natives"; }

# The Debian package of a file. /lib is a link to /usr/lib, and dpkg knows some files by
# the one, some by the other.
package_of() {
  local f
  f=$(readlink -f "$1")
  { dpkg -S "$f" 2>/dev/null || dpkg -S "${f#/usr}"; } | head -n 1 | cut -d: -f1
}

spdx() { # Debian's copyright files have no SPDX names for a whole package
  case $1 in
  libturbojpeg0) echo 'IJG AND BSD-3-Clause AND Zlib' ;;
  libdav1d*) echo BSD-2-Clause ;;
  zlib1g) echo Zlib ;;
  libstdc++6 | libgcc-s1) echo 'GPL-3.0-or-later WITH GCC-exception-3.1' ;;
  *) die "the archive would carry a library of $1: say in deploy/release.sh under which licence" ;;
  esac
}

# A library of Debian's, under the name by which it is looked for.
carry_debian() { # SONAME PATH
  local package version licence
  package=$(package_of "$2")
  version=$(dpkg-query -W -f '${Version}' "$package")
  licence=$(spdx "$package")
  cp -L "$2" "$stage/lib/$1"
  mkdir -p "$stage/licences/$package"
  cp -L "/usr/share/doc/$package/copyright" "$stage/licences/$package/"
  carry "$package" "$version" "$licence" "pkg:deb/debian/$package@$version?arch=$arch&distro=bookworm" "lib/$1"
}

# What the files of the archive need and is not in it yet, until nothing is missing.
carry_closure() {
  local found=1 soname path
  while [ $found = 1 ]; do
    found=0
    while read -r soname path; do
      [[ $soname =~ $glibc ]] && continue
      case $path in "$PWD/$stage"/*) continue ;; not) die "$soname was not found" ;; esac
      [ -e "$stage/lib/$soname" ] && continue
      carry_debian "$soname" "$path"
      found=1
    done < <(ldd "$stage/frostwatch" "$stage/bin/redis-server" "$stage"/lib/*.so* | awk '$2 == "=>" {print $1, $3}' | sort -u)
  done
}

carry_ffmpeg() {
  local v l
  v=$(cat "$ffmpeg/version")
  for l in "$ffmpeg"/lib/*.so.*; do
    [ ! -L "$l" ] || continue
    local soname
    soname=$(objdump -p "$l" | awk '$1 == "SONAME" {print $2}')
    cp "$l" "$stage/lib/$soname"
    carry "ffmpeg-${soname%%.*}" "$v" LGPL-2.1-or-later "pkg:deb/debian/ffmpeg@$v?arch=source&distro=bookworm" "lib/$soname"
  done
  cp -r "$ffmpeg/licences" "$stage/licences/ffmpeg"
}

carry_onnxruntime() {
  local v
  v=$(deploy/setup.sh onnxruntime-version)
  cp -L .native/onnxruntime/libonnxruntime.so "$stage/lib/libonnxruntime.so"
  cp -r .native/onnxruntime/licences "$stage/licences/onnxruntime"
  carry onnxruntime "$v" MIT "pkg:github/microsoft/onnxruntime@v$v" lib/libonnxruntime.so
}

carry_redis() {
  local v
  v=$(cat "$redis/version")
  cp "$redis/bin/redis-server" "$stage/bin/"
  cp -r "$redis/licences" "$stage/licences/redis"
  carry redis "$v" BSD-3-Clause "pkg:deb/debian/redis@$v?arch=source&distro=bookworm" bin/redis-server
}

# The program looks for its libraries in lib beside it, wherever that is. What pkg-config says
# is no part of the key of Go's cache, so the folder is in CGO_LDFLAGS too: without it, Go takes
# the objects of a build with Debian's FFmpeg.
build_program() {
  # shellcheck disable=SC2016 # the loader expands $ORIGIN
  CGO_CFLAGS="-O2 -g -I$ffmpeg/include" CGO_LDFLAGS="-O2 -g -L$ffmpeg/lib" PKG_CONFIG_PATH=$ffmpeg/lib/pkgconfig CGO_ENABLED=1 nice -n 5 go build -trimpath -buildvcs=false -o "$stage/frostwatch" \
    -ldflags "-s -w -X main.version=$version -X main.commit=${commit:0:12} -X main.date=$date "'-extldflags "-Wl,-rpath,$ORIGIN/lib -Wl,--enable-new-dtags -Wl,-z,relro,-z,now"' \
    ./cmd/frostwatch
}

# The newest symbol of glibc's that anything in the archive asks for.
glibc_needed() {
  objdump -T "$stage/frostwatch" "$stage/bin/redis-server" "$stage"/lib/*.so* | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1 | cut -d_ -f2
}

sources_readme() {
  cat <<T
Of what is carried here under a licence that asks for its source:

FFmpeg's libraries (lib/libav*, lib/libsw*; LGPL 2.1 or later) were built from Debian's
source package ffmpeg $(cat "$ffmpeg/version") by deploy/native.sh of this project. Both lie
in frostwatch-$version-sources.tar, beside the archive that this came in. The libraries are
linked dynamically: to use others, put them in place of those in lib.

libstdc++ and libgcc_s (GPL 3 or later with the GCC Runtime Library Exception) are the
unchanged files of Debian's packages libstdc++6 and libgcc-s1
$(dpkg-query -W -f '${Version}' libstdc++6), whose source anybody gets on Debian 12 by
\`apt-get source gcc-12\` (with a deb-src line in APT's sources).
T
}

assemble() {
  cp LICENSE NOTICE deploy/install.sh "$stage/"
  cp docs/install.md "$stage/INSTALL.md"
  cp -r deploy/systemd deploy/examples deploy/prometheus deploy/grafana deploy/helm "$stage/"
  # An image of this version is what the chart runs, unless values say another.
  sed -i "s/^appVersion:.*/appVersion: \"$version\"/" "$stage/helm/frostwatch/Chart.yaml"
  cp cmd/frostwatch/demo/pipeline.yaml "$stage/examples/pipeline.yaml"
  cp pipeline.yaml "$stage/examples/every-key.yaml"
  sources_readme >"$stage/licences/SOURCES.txt"
  printf '%s\n' "$version" >"$stage/VERSION"
  glibc_needed >"$stage/GLIBC"
}

pack() {
  local sums
  sums=$(cd "$stage" && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum)
  printf '%s\n' "$sums" >"$stage/SHA256SUMS"
  chmod -R u=rwX,go=rX "$stage"
  local tar=(tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner)
  "${tar[@]}" -C dist -c "$name" | gzip -6n >"dist/$name.tar.gz"
  cp deploy/native.sh "$ffmpeg/source/"
  "${tar[@]}" -C "$ffmpeg" -c --transform "s|^source|frostwatch-$version-sources|" source >"dist/frostwatch-$version-sources.tar"
  cp deploy/install.sh dist/
  (cd dist && sha256sum "$name.tar.gz" "frostwatch-$version-sources.tar" install.sh >SHA256SUMS)
}

step "preparing ONNX Runtime, FFmpeg and redis-server"
deploy/setup.sh release
ffmpeg=$(deploy/native.sh ffmpeg)
redis=$(deploy/native.sh redis)
rm -rf "$stage"
mkdir -p "$stage/lib" "$stage/bin" "$stage/licences"
step "building frostwatch $version"
build_program
step "collecting libraries and licences"
carry_ffmpeg
carry_onnxruntime
carry_redis
carry_closure
go run ./deploy/bill licences "$stage/licences/go"
assemble
go run ./deploy/bill sbom "$stage" "$version" <"$natives" >"$stage/sbom.cdx.json"
step "packing"
pack
rm -rf "$stage"
step "dist/$name.tar.gz: $(du -h "dist/$name.tar.gz" | cut -f1), needs glibc $(tar xzOf "dist/$name.tar.gz" "$name/GLIBC") or newer"
