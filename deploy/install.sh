#!/bin/sh
# Installs Frostwatch from a release, or upgrades it. Run it in the unpacked folder, or beside
# the archive: install.sh [--prefix DIR] [ARCHIVE]. `install.sh --uninstall [--purge]`
# removes it; without --purge configuration and data stay.
#
#   PREFIX/frostwatch-VERSION, PREFIX/frostwatch -> it    PREFIX is /opt
#   /usr/local/bin/frostwatch, /usr/local/lib/systemd/system/frostwatch*.service
#   /etc/frostwatch     configuration, written once and never again
#   /var/lib/frostwatch data, of the user frostwatch
set -eu

say() { printf 'install: %s\n' "$*"; }
die() { printf 'install: %s\n' "$*" >&2; exit 1; }

prefix=/opt archive='' uninstall='' purge=''
while [ $# -gt 0 ]; do
  case $1 in
  --prefix) [ $# -gt 1 ] || die "--prefix: want a folder"; prefix=$2; shift ;;
  --uninstall) uninstall=1 ;;
  --purge) purge=1 ;;
  -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit ;;
  -*) die "$1: want --prefix DIR, --uninstall or --purge" ;;
  *) archive=$1 ;;
  esac
  shift
done
case $prefix in /*) ;; *) die "--prefix $prefix: want a path that begins with /" ;; esac
case $prefix in *[!A-Za-z0-9/._-]*) die "--prefix $prefix: want letters, digits, '.', '_' and '-'" ;; esac
[ -z "$purge" ] || [ -n "$uninstall" ] || die "--purge goes with --uninstall"

units=/usr/local/lib/systemd/system
here=$(cd "$(dirname "$0")" && pwd)

# Root is asked for only by what writes outside the caller's folders.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "run it as root: there is no sudo here"; fi
}

systemd_runs() { [ -d /run/systemd/system ]; }

remove_all() {
  if systemd_runs; then
    for u in "$units"/frostwatch*.service; do
      [ ! -e "$u" ] || as_root systemctl disable --quiet --now "$(basename "$u")"
    done
  fi
  as_root rm -f "$units"/frostwatch.service "$units"/frostwatch-*.service
  [ ! -L /usr/local/bin/frostwatch ] || as_root rm -f /usr/local/bin/frostwatch
  [ ! -L "$prefix/frostwatch" ] || as_root rm -f "$prefix/frostwatch"
  for d in "$prefix"/frostwatch-*; do
    [ ! -f "$d/VERSION" ] || as_root rm -rf "$d"
  done
  if systemd_runs; then as_root systemctl daemon-reload; fi
  if [ -n "$purge" ]; then
    as_root rm -rf /etc/frostwatch /var/lib/frostwatch
    if id frostwatch >/dev/null 2>&1; then as_root userdel frostwatch; fi
    say "removed, with configuration and data"
  else
    say "removed; /etc/frostwatch, /var/lib/frostwatch and the user frostwatch are left (--purge removes them)"
  fi
}

# find_release sets release to the unpacked folder.
find_release() {
  if [ -z "$archive" ] && [ -f "$here/VERSION" ] && [ -f "$here/SHA256SUMS" ]; then
    release=$here
    return
  fi
  if [ -z "$archive" ]; then
    for a in "$here"/frostwatch-*-linux-*.tar.gz; do
      [ -z "$archive" ] || die "several archives lie here: name one"
      archive=$a
    done
  fi
  [ -f "$archive" ] || die "no archive here: run it in the unpacked folder, or name the archive"
  sums=$(dirname "$archive")/SHA256SUMS
  [ -f "$sums" ] || die "SHA256SUMS of the release is missing beside $archive"
  grep " $(basename "$archive")\$" "$sums" | (cd "$(dirname "$archive")" && sha256sum --quiet -c -) ||
    die "$archive is not the file that SHA256SUMS names"
  temp=$(mktemp -d)
  trap 'rm -rf "$temp"' EXIT
  tar xzf "$archive" -C "$temp" --no-same-owner
  release=$(echo "$temp"/frostwatch-*)
}

check_release() {
  case $(uname -s)-$(uname -m) in
  Linux-x86_64) machine=amd64 ;;
  Linux-aarch64) machine=arm64 ;;
  *) die "this is $(uname -s) on $(uname -m): there is no release for it" ;;
  esac
  case $(basename "$release") in *-linux-"$machine") ;; *-linux-*) die "$(basename "$release") is for another machine: this is $machine" ;; esac
  (cd "$release" && sha256sum --quiet -c SHA256SUMS) || die "files of the release are damaged"
  version=$(cat "$release/VERSION")
  case $version in '' | *[!A-Za-z0-9._+-]*) die "the release has no usable version" ;; esac
}

# The old version stays in force unless the new one runs here.
install_program() {
  to=$prefix/frostwatch-$version
  before=$(readlink "$prefix/frostwatch" 2>/dev/null || true)
  as_root mkdir -p "$prefix" /usr/local/bin
  as_root rm -rf "$to.new"
  as_root cp -R "$release" "$to.new"
  as_root chown -R 0:0 "$to.new"
  "$to.new/frostwatch" version >/dev/null || {
    as_root rm -rf "$to.new"
    die "this version does not run here (it needs glibc $(cat "$release/GLIBC")); ${before:-nothing} stays installed"
  }
  as_root rm -rf "$to"
  as_root mv "$to.new" "$to"
  link "frostwatch-$version" "$prefix/frostwatch"
  link "$prefix/frostwatch/frostwatch" /usr/local/bin/frostwatch
}

link() { # TARGET LINK, in one step
  [ -L "$2" ] || [ ! -e "$2" ] || die "$2 is there already, and no link"
  as_root ln -sfn "$1" "$2.new"
  as_root mv -T "$2.new" "$2"
}

install_places() {
  id frostwatch >/dev/null 2>&1 ||
    as_root useradd --system --user-group --home-dir /var/lib/frostwatch --no-create-home --shell /usr/sbin/nologin frostwatch
  as_root install -d -m 0750 -o frostwatch -g frostwatch /var/lib/frostwatch
  as_root install -d -m 0750 -o root -g frostwatch /etc/frostwatch
  for f in pipeline.yaml frostwatch.yaml environment; do
    as_root test -e "/etc/frostwatch/$f" || as_root install -m 0640 -o root -g frostwatch "$to/examples/$f" "/etc/frostwatch/$f"
  done
}

install_units() {
  as_root mkdir -p "$units"
  for u in "$to"/systemd/*.service; do
    sed "s|/opt/frostwatch/|$prefix/frostwatch/|g" "$u" | as_root tee "$units/$(basename "$u")" >/dev/null
  done
  systemd_runs || return 0
  as_root systemctl daemon-reload
  as_root systemctl try-restart 'frostwatch*.service'
}

# The version before stays, to go back to.
remove_older() {
  for d in "$prefix"/frostwatch-*; do
    case $d in "$to" | "$prefix/${before:-}") continue ;; esac
    [ ! -f "$d/VERSION" ] || as_root rm -rf "$d"
  done
}

if [ -n "$uninstall" ]; then
  remove_all
  exit
fi
find_release
check_release
install_program
install_places
install_units
remove_older
say "$("$to/frostwatch" version) is in $to"
if systemd_runs; then
  say "start it: systemctl enable --now frostwatch    what it says: journalctl -fu frostwatch"
else
  say "systemd does not run here: frostwatch up --data DIR starts everything"
fi
