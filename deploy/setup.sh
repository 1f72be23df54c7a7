#!/usr/bin/env bash
# Installs what Frostwatch needs on Debian 12: `setup.sh run` to build and run,
# `setup.sh test` also what the tests need, `setup.sh release` what building a release
# needs, `setup.sh image` what the image's test needs. What is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Debian's own versions: FFmpeg parses untrusted input, and Debian fixes its security
# faults. A pinned version would keep them.
run_packages=(
  gcc libc6-dev      # the parts in C: cgo
  pkg-config         # finds the libraries for cgo
  libavdevice-dev    # FFmpeg: go-astiav links this one, which brings all the others that it links
  libturbojpeg0-dev  # JPEG
  redis-server       # `up` runs one of its own; brings redis-cli
)
# The GStreamer packages are an RTSP server that is not ours, for the tests; the
# last three are OpenGL without a screen, for those of train/demo.
# debootstrap makes the bare Debian in which the set-up itself is tried (setup-test.sh); jq
# is for docs/examples/subscribe; kcat reads topics there and in other tests.
test_packages=(debootstrap kcat jq ffmpeg chromium-headless-shell mosquitto prometheus prometheus-alertmanager systemd python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base
  gstreamer1.0-plugins-good gstreamer1.0-plugins-bad libegl1 libgl1 libgl1-mesa-dri)

# A release is linked with an FFmpeg of its own (deploy/native.sh).
release_packages=(
  gcc libc6-dev pkg-config make nasm patch xz-utils
  binutils                 # objdump, for what a library is called
  libturbojpeg0-dev        # JPEG
  libdav1d-dev zlib1g-dev  # FFmpeg's AV1, and what it needs itself
  ca-certificates
)
# buildah builds the image where there is no docker; debootstrap makes what it is built on.
image_packages=(buildah debootstrap)

go_minimum=$(awk '$1 == "go" {print $2}' go.mod)

# ONNX Runtime's library as its PyPI wheel carries it. The hashes are of the
# wheel and of the library in it.
ort_version=1.31.1
ort_dir=.native/onnxruntime
ort_library=libonnxruntime.so.$ort_version
case $(uname -m) in
aarch64)
  ort_wheel_sha256=da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3
  ort_library_sha256=8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467
  ;;
*)
  ort_wheel_sha256=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f
  ort_library_sha256=fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3
  ;;
esac

lint_version=v2.15.0

# What judges the console's pages for people who don't see them or use no mouse. The hash
# is of the file.
axe_version=4.14.0
axe_sha256=20c09fe157a8a34a30e241aaa1fcdade657734f08ab379ecfbeb7d45cc46e878

check_machine() {
  case $(uname -s)-$(uname -m) in
  Linux-x86_64 | Linux-aarch64) ;;
  *) die "this machine is $(uname -s) on $(uname -m); ONNX Runtime is pinned for Linux on x86_64 and aarch64. Elsewhere install the packages by hand and set infer.runtime to ONNX Runtime $ort_version's library." ;;
  esac
  local advice="install Go $go_minimum or newer as golang.org says (Debian 12's own is too old)"
  command -v go >/dev/null || die "Go is missing: $advice"
  # Since 1.21 Go fetches the version that go.mod names by itself, where it may.
  local have
  have=$(go env GOVERSION) || die "Go does not run here: $advice"
  [ "$(printf '%s\n' "go$go_minimum" "$have" | sort -V | head -n 1)" = "go$go_minimum" ] ||
    die "$have at $(command -v go) is too old: $advice"
}

root=()
[ "$(id -u)" = 0 ] || root=(sudo)

install_packages() {
  local missing=() p
  for p in "$@"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null || die "no apt-get here; install these by hand: ${missing[*]}"
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
    die "these packages are missing, and installing them needs root or sudo. As root: apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  deploy/step.sh "setup: reading APT's lists" "${root[@]}" apt-get -q update >/dev/null ||
    die "apt-get could not update its lists; missing are: ${missing[*]}"
  p=$(apt-get -s install --no-install-recommends "${missing[@]}" 2>/dev/null | grep -c ^Inst || true)
  deploy/step.sh "setup: installing ${missing[*]} ($p packages with what they need; a minute or more)" \
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}"
}

# pip's own wheel runs without being installed: python3-pip would bring more packages for
# one download. Where pip is there, that one serves.
find_pip() {
  python3 -m pip --version >/dev/null 2>&1 && return
  install_packages python3 python3-pip-whl
  PYTHONPATH=$(echo /usr/share/python-wheels/pip-*.whl)
  export PYTHONPATH
}

fetch_wheel() { # FOLDER
  (
    find_pip
    deploy/step.sh "setup: fetching ONNX Runtime $ort_version" \
      python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 \
      --implementation cp --abi cp311 --platform "manylinux_2_28_$(uname -m)" -d "$1" "onnxruntime==$ort_version"
  ) || die "pip could not download onnxruntime==$ort_version; put $ort_library into $ort_dir by hand"
  sha256sum --quiet -c <<<"$ort_wheel_sha256  $(echo "$1"/onnxruntime-*.whl)" || die "the wheel of ONNX Runtime is not the one that was pinned"
  python3 -m zipfile -e "$1"/onnxruntime-*.whl "$1/wheel"
}

install_onnxruntime() {
  [ -f "$ort_dir/$ort_library" ] && [ -d "$ort_dir/licences" ] &&
    sha256sum --quiet -c <<<"$ort_library_sha256  $ort_dir/$ort_library" 2>/dev/null && return
  local temp
  temp=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder's name now, not when it fires
  trap "rm -rf '$temp'" EXIT
  fetch_wheel "$temp"
  local library=$temp/wheel/onnxruntime/capi/$ort_library
  sha256sum --quiet -c <<<"$ort_library_sha256  $library" || die "ONNX Runtime's library is not the one that was pinned"
  mkdir -p "$ort_dir/licences"
  mv "$library" "$ort_dir/"
  cp "$temp"/wheel/onnxruntime/{LICENSE,ThirdPartyNotices.txt} "$ort_dir/licences/"
  ln -sf "$ort_library" "$ort_dir/libonnxruntime.so"
}

install_java() {
  # The tests' Kafka needs a JVM and Maven; those already installed will do.
  command -v java >/dev/null || install_packages openjdk-17-jre-headless
  command -v mvn >/dev/null || install_packages maven
}

install_lint() {
  .tools/golangci-lint version 2>/dev/null | grep -q "${lint_version#v}" && return
  say "building golangci-lint $lint_version (a few minutes, once)"
  GOBIN="$PWD/.tools" go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$lint_version" ||
    die "go could not build golangci-lint $lint_version"
}

install_axe() {
  local file=.tools/axe.min.js temp
  [ -f "$file" ] && sha256sum --quiet -c <<<"$axe_sha256  $file" 2>/dev/null && return
  command -v npm >/dev/null || install_packages npm
  say "fetching axe-core $axe_version"
  temp=$(mktemp -d)
  (cd "$temp" && npm pack --silent "axe-core@$axe_version" >/dev/null && tar xzf "axe-core-$axe_version.tgz" package/axe.min.js) ||
    die "npm could not fetch axe-core $axe_version; put its axe.min.js into .tools by hand"
  sha256sum --quiet -c <<<"$axe_sha256  $temp/package/axe.min.js" || die "axe-core is not the one that was pinned"
  mkdir -p .tools
  mv "$temp/package/axe.min.js" "$file"
  rm -rf "$temp"
}

# What the examples of docs/subscribe.md import, by their own locks. npm is there for axe.
install_subscribers() {
  local from=docs/examples/subscribe to=.tools/subscribe
  cat "$from/requirements.txt" "$from/node/package-lock.json" | cmp -s - "$to/installed" && return
  say "installing what the examples of docs/subscribe.md import"
  rm -rf "$to"
  mkdir -p "$to/node"
  (find_pip && python3 -m pip install -q --disable-pip-version-check --root-user-action ignore --no-deps --require-hashes --only-binary=:all: --target "$to/python" -r "$from/requirements.txt") ||
    die "pip could not install $from/requirements.txt"
  command -v node >/dev/null || install_packages nodejs
  command -v npm >/dev/null || install_packages npm
  cp "$from"/node/package*.json "$to/node/"
  (cd "$to/node" && npm ci --silent --no-audit --no-fund) || die "npm could not install $from/node/package-lock.json"
  cat "$from/requirements.txt" "$from/node/package-lock.json" > "$to/installed"
}

# A disk that fills up on the way ends as a trace of some library.
check_space() { # FOLDER GIGABYTES WHAT
  local free
  free=$(df -Pk "$1" | awk 'NR == 2 {print int($4 / 1048576)}')
  [ "$free" -ge "$2" ] || die "$3 takes up to $2 GB of disk, and $free GB are free at $1"
}

# Made again whenever the lock changes: a package that is no longer in it must not stay.
install_train() {
  cmp -s train/requirements.txt train/.venv/installed.txt && return
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "$(python3 --version) at $(command -v python3) is too old: train/ needs Python 3.11"
  say "installing train/'s Python packages (some 5 GB and a few minutes, once)"
  rm -rf train/.venv
  check_space train 7 "installing train/'s Python packages"
  python3 -m venv train/.venv || die "python3 could not make train/.venv"
  train/.venv/bin/pip install -q --disable-pip-version-check --no-deps --require-hashes -r train/requirements.txt ||
    die "pip could not install train/requirements.txt"
  cp train/requirements.txt train/.venv/installed.txt
}

[ "${1:-}" != onnxruntime-version ] || { echo "$ort_version"; exit; }
check_machine
case "${1:-}" in
run) install_packages "${run_packages[@]}"; install_onnxruntime ;;
release) install_packages "${release_packages[@]}"; install_onnxruntime ;;
image) install_packages "${image_packages[@]}" ;;
test)
  install_packages "${run_packages[@]}" "${test_packages[@]}"
  install_onnxruntime
  install_java
  install_axe
  install_subscribers
  # The one waits for the network and the disk, the other for the processor.
  install_packages python3 python3-venv
  install_train &
  train=$!
  install_lint
  wait $train
  ;;
*) die "usage: deploy/setup.sh run|test|release|image" ;;
esac
