#!/usr/bin/env bash
# Builds what a release carries instead of Debian's own, once, from Debian's sources as
# Debian patches them: `native.sh ffmpeg` or `native.sh redis`. Prints the folder, which is
# named after the version and a hash of this script.
#
# ffmpeg: decoding only, LGPL 2.1 or later. Debian's is GPL 2 or later and needs some two
# hundred libraries.
# redis: without TLS and systemd, so that it needs glibc alone. Only `up` starts it, on
# loopback.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'native: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The machine's own sources of Debian, as sources of source packages. Others, which may
# have none, are left out.
sources() {
  local f
  for f in /etc/apt/sources.list.d/*.sources; do
    [ -f "$f" ] && awk 'BEGIN {RS = ""; ORS = "\n\n"} /URIs:[^\n]*\/debian/ {gsub(/(^|\n)Types:[^\n]*/, "\nTypes: deb-src"); print}' "$f" >>"$1/list.sources"
  done
  for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$f" ] && sed -nE 's/^deb( .*\/debian.*)/deb-src\1/p' "$f" >>"$1/list.list"
  done
  return 0
}

# apt-get with lists of its own, so that the machine's stay as they are.
apt_source() { # FOLDER ARGUMENTS...
  local folder=$1
  shift
  apt-get -q -o Dir::Etc::sourcelist=- -o Dir::Etc::sourceparts="$folder/sources" -o Dir::State::lists="$folder/lists" \
    -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache= -o APT::Sandbox::User=root "$@"
}

fetch_source() { # PACKAGE FOLDER
  mkdir -p "$2/sources" "$2/lists/partial"
  sources "$2/sources"
  apt_source "$2" update >"$2/apt.log" 2>&1 || die "apt-get could not read Debian's lists of sources: $(tail -n 1 "$2/apt.log")"
  (cd "$2" && apt_source "$2" source --download-only "$1") >"$2/apt.log" 2>&1 ||
    die "apt-get could not fetch the source of $1: $(tail -n 1 "$2/apt.log")"
}

# Unpacks a source package and applies Debian's patches, as dpkg-source does, which a
# machine that only builds does not need to have.
unpack() { # FOLDER TREE
  mkdir -p "$2"
  tar xf "$(echo "$1"/*.orig.tar.?z)" -C "$2" --strip-components=1
  tar xf "$(echo "$1"/*.debian.tar.?z)" -C "$2"
  local p
  while read -r p; do
    patch -s -d "$2" -p1 <"$2/debian/patches/$p" || die "$p does not apply"
  done < <(grep -v '^#' "$2/debian/patches/series")
}

need() {
  local missing=() c
  for c in "$@"; do command -v "$c" >/dev/null || missing+=("$c"); done
  [ ${#missing[@]} = 0 ] || die "missing: ${missing[*]} (apt-get install gcc libc6-dev make nasm patch xz-utils pkg-config libdav1d-dev zlib1g-dev)"
}

# What cameras and films need (media/open.go, media/file.go, cmd/frostwatch/camsim), and
# nothing that connects anywhere else: TLS is Frostwatch's own (docs/design.md).
demuxers=rtsp,rtp,sdp,mov,matroska,avi,mpegts,mpegps,flv,h264,hevc,mpjpeg,mjpeg,m4v,mpegvideo,ogg
demuxers+=,asf,nut,ivf,dv,mxf,gxf,gif,apng,rm,wtv,roq,nsv,nuv,flic,dhav,ifv,yuv4mpegpipe,h261,h263,obu,av1,dirac,dnxhd,vc1,vc1t
# None of these is opened, but libav has to know them to say that a playlist or a picture came.
demuxers+=,hls,image2,image_jpeg_pipe,image_png_pipe,image_bmp_pipe,image_webp_pipe,image_tiff_pipe
decoders=h264,hevc,mjpeg,mpeg4,mpeg1video,mpeg2video,mpegvideo,vp8,vp9,libdav1d,theora,vp3,vp6,vp6a,vp6f,flv,h261,h263,h263p,h263i
decoders+=,msmpeg4v1,msmpeg4v2,msmpeg4v3,wmv1,wmv2,wmv3,vc1,rv10,rv20,rv30,rv40,dvvideo,prores,dnxhd,dirac,ffv1,huffyuv,ffvhuff
decoders+=,svq1,svq3,cinepak,gif,apng,png,roq,flic,nuv,rawvideo
# Sound is never decoded, but without these libav looks for longer at streams that have some.
decoders+=,aac,aac_latm,ac3,eac3,mp2,mp3,vorbis,flac,alac,pcm_s16le,pcm_s16be,pcm_u8,pcm_s24le,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav,wmav1,wmav2,cook
parsers=h264,hevc,mjpeg,mpeg4video,mpegvideo,vp8,vp9,av1,vp3,h261,h263,vc1,rv30,rv40,dirac,dnxhd,gif,png,aac,aac_latm,ac3,mpegaudio,vorbis,opus,flac,dvaudio

configure_ffmpeg() { # TREE
  "$1/configure" --prefix=/ --disable-everything --disable-autodetect --disable-programs --disable-doc --disable-static --enable-shared \
    --disable-swresample --disable-postproc --enable-zlib --enable-libdav1d --enable-network --toolchain=hardened --disable-debug \
    --enable-protocol=file,http,tcp,udp,rtp,srtp,crypto --enable-demuxer="$demuxers" --enable-decoder="$decoders" \
    --enable-parser="$parsers" --enable-bsf=h264_mp4toannexb,hevc_mp4toannexb,extract_extradata --enable-muxer=mp4
}

# The libraries look for each other beside themselves.
build_ffmpeg() { # TREE FOLDER
  mkdir "$1/build"
  # shellcheck disable=SC2016 # make and the loader expand it
  local rpath='LDSOFLAGS=-Wl,-rpath,'\''$$$$ORIGIN'\'
  (cd "$1/build" && configure_ffmpeg .. && grep -qx '#define FFMPEG_LICENSE "LGPL version 2.1 or later"' config.h &&
    nice -n 10 make -j"$(nproc)" "$rpath" && make install "$rpath" DESTDIR="$2")
  rm -rf "$2/share"
  strip --strip-unneeded "$2"/lib/*.so
  # The folder may be moved.
  # shellcheck disable=SC2016 # pkg-config expands them
  sed -i -e 's|^prefix=.*|prefix=${pcfiledir}/../..|' -e 's|^libdir=.*|libdir=${prefix}/lib|' -e 's|^includedir=.*|includedir=${prefix}/include|' "$2"/lib/pkgconfig/*.pc
  cp "$1/COPYING.LGPLv2.1" "$1/LICENSE.md" "$2/licences/"
  cp "$1/build/ffbuild/config.mak" "$2/config.mak"
}

build_redis() { # TREE FOLDER
  nice -n 10 make -C "$1/src" -j"$(nproc)" MALLOC=libc USE_SYSTEMD=no BUILD_TLS=no redis-server
  mkdir -p "$2/bin"
  strip -o "$2/bin/redis-server" "$1/src/redis-server"
  cp "$1/COPYING" "$2/licences/"
}

build() { # NAME UPSTREAM: the version that the code was made for
  local name=$1 temp version out start=$SECONDS
  need apt-get gcc make patch xz tar strip pkg-config
  [ "$name" != ffmpeg ] || { need nasm; pkg-config --exists dav1d zlib || die "missing: libdav1d-dev or zlib1g-dev"; }
  temp=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder's name now, not when it fires
  trap "rm -rf '$temp'" EXIT
  fetch_source "$name" "$temp"
  version=$(sed -n 's/^Version: //p' "$temp"/*.dsc | head -n 1)
  version=${version#*:}
  case $version in $2.*) ;; *) die "Debian's $name is $version here, and Frostwatch was made for $2" ;; esac
  out=$PWD/.native/$name-release-$version-$(sha256sum <deploy/native.sh | head -c 8)
  if [ ! -f "$out/version" ]; then
    say "building $name $version from Debian's source (minutes, once)"
    rm -rf "$out" "$out.new"
    mkdir -p "$out.new/licences" "$out.new/source"
    unpack "$temp" "$temp/tree"
    "build_$name" "$temp/tree" "$out.new" >"$temp/build.log" 2>&1 || die "$name could not be built: $(tail -n 5 "$temp/build.log")"
    cp "$temp/tree/debian/copyright" "$out.new/licences/copyright"
    cp "$temp"/*.dsc "$temp"/*.tar.?z "$out.new/source/"
    echo "$version" >"$out.new/version"
    mv "$out.new" "$out"
    say "$name $version was built in $((SECONDS - start)) s"
  fi
  echo "$out"
}

case "${1:-}" in
ffmpeg) build ffmpeg 5.1 ;;
redis) build redis 7.0 ;;
*) die "usage: deploy/native.sh ffmpeg|redis" ;;
esac
