#!/bin/sh
# The part of release-test.sh that runs in the bare root, where the release lies in /dist.
set -eu
cd /tmp

began=$(date +%s)
ok() { printf '  %2s s  %s\n' $(($(date +%s) - began)) "$*"; }
fail() { printf 'FAIL: %s\n' "$*" >&2; exit 1; }

for c in go gcc cc python3 redis-server ffmpeg; do
  ! command -v $c >/dev/null || fail "$c is here: the root is not bare"
done

set -- /dist/frostwatch-*.tar.gz
tar xzf "$1"
release=$(echo /tmp/frostwatch-*)
cd "$release"
for f in LICENSE NOTICE INSTALL.md sbom.cdx.json SHA256SUMS licences/SOURCES.txt licences/ffmpeg/COPYING.LGPLv2.1 licences/onnxruntime/LICENSE licences/redis/COPYING licences/go/std@*/LICENSE; do
  [ -s "$f" ] || fail "$f is missing"
done
ok "unpacked: $(du -sm . | cut -f1) MB, $(./frostwatch version)"

# Whatever is loaded comes from the archive, but for glibc's own.
foreign() {
  while read -r path; do
    path=$(readlink -f "$path")
    case $(basename "$path") in libc.so.6 | libm.so.6 | libpthread.so.0 | libdl.so.2 | librt.so.1 | libresolv.so.2 | ld-linux*) continue ;; esac
    case $path in "$release"/*) ;; *) echo "$path" ;; esac
  done
}
for f in frostwatch bin/redis-server lib/libonnxruntime.so; do
  ! ldd "$release/$f" | grep 'not found' || fail "$f does not find all that it needs"
  outside=$(ldd "$release/$f" | awk '$2 == "=>" {print $3}' | foreign)
  [ -z "$outside" ] || fail "$f needs $outside"
done
ok "$(find lib -type f | wc -l) libraries, nothing from outside but glibc"

# starts WHAT LOG SECONDS: waits for it in the log of the running program.
awaits() {
  n=0
  while ! grep -q "$1" "$2"; do
    kill -0 "$pid" 2>/dev/null || fail "it ended: $(tail -n 5 "$2")"
    n=$((n + 1))
    [ $n -lt $(($3 * 5)) ] || fail "no $1 in $3 s: $(tail -n 20 "$2")"
    sleep 0.2
  done
}

# As its units stop it.
stops() {
  kill -TERM "$pid"
  since=$(date +%s)
  wait "$pid" || fail "exit status $? after SIGTERM: $(tail -n 5 "$1")"
  [ $(($(date +%s) - since)) -lt 20 ] || fail "it took longer to stop than its unit allows"
}

./frostwatch up --data /tmp/data >/tmp/up.log 2>&1 &
pid=$!
awaits ' ALERT ' /tmp/up.log 60
outside=$(awk '$6 ~ /^\// && $2 ~ /x/ {print $6}' /proc/"$pid"/maps | sort -u | foreign)
[ -z "$outside" ] || fail "the running program has loaded $outside"
ok "up: $(grep -m 1 ' ALERT ' /tmp/up.log)"
stops /tmp/up.log
ok "stopped"

/dist/install.sh >/tmp/install.log || fail "install.sh: $(cat /tmp/install.log)"
version=$(cat VERSION)
[ "$(readlink -f /usr/local/bin/frostwatch)" = "/opt/frostwatch-$version/frostwatch" ] || fail "the link leads to $(readlink -f /usr/local/bin/frostwatch)"
[ "$(stat -c '%U %a' /var/lib/frostwatch)" = "frostwatch 750" ] || fail "data: $(stat -c '%U %a' /var/lib/frostwatch)"
ok "installed"

# As the unit starts it, as its user.
start=$(sed -n 's/^ExecStart=//p' /usr/local/lib/systemd/system/frostwatch.service)
# shellcheck disable=SC2086 # a command and its arguments
(cd /var/lib/frostwatch && umask 027 && exec setpriv --reuid=frostwatch --regid=frostwatch --init-groups --no-new-privs --bounding-set=-all $start) >/tmp/unit.log 2>&1 &
pid=$!
awaits 'Ctrl-C stops it' /tmp/unit.log 60
stops /tmp/unit.log
ok "the unit's command ran as frostwatch"

# other VERSION: a release of that version, as far as the installer can see.
other() {
  rm -rf "/tmp/other"
  mkdir /tmp/other
  cp -R "$release" "/tmp/other/frostwatch-$1-linux-${release##*-}"
  cd "/tmp/other/frostwatch-$1-linux-${release##*-}"
  echo "$1" >VERSION
}
sums() { find . -type f ! -name SHA256SUMS -exec sha256sum {} + >/tmp/sums && cp /tmp/sums SHA256SUMS; }

echo '# mine' >>/etc/frostwatch/pipeline.yaml
other 9.9.9
sums
./install.sh >/tmp/install.log || fail "upgrade: $(cat /tmp/install.log)"
[ "$(readlink /opt/frostwatch)" = frostwatch-9.9.9 ] || fail "the upgrade is not in force"
[ -d "/opt/frostwatch-$version" ] || fail "the version before is gone"
grep -q '^# mine' /etc/frostwatch/pipeline.yaml || fail "the upgrade overwrote the configuration"

other 9.9.10
echo damaged >>lib/libturbojpeg.so.0
! ./install.sh >/tmp/install.log 2>&1 || fail "damaged files were installed"
printf '#!/bin/sh\nexit 1\n' >frostwatch
sums
! ./install.sh >/tmp/install.log 2>&1 || fail "a version that does not run was installed"
if [ "$(readlink /opt/frostwatch)" != frostwatch-9.9.9 ] || ! frostwatch version >/dev/null; then fail "the version before is not in force any more"; fi
ok "upgraded; what is damaged or does not run is refused"

/opt/frostwatch/install.sh --uninstall >/tmp/install.log || fail "uninstall: $(cat /tmp/install.log)"
for f in /usr/local/bin/frostwatch /opt/frostwatch* /usr/local/lib/systemd/system/frostwatch*; do
  if [ -e "$f" ] || [ -L "$f" ]; then fail "$f is left"; fi
done
if [ ! -f /etc/frostwatch/pipeline.yaml ] || [ ! -d /var/lib/frostwatch/redis ]; then fail "configuration or data are gone"; fi
/dist/install.sh --uninstall --purge >/tmp/install.log || fail "purge: $(cat /tmp/install.log)"
if [ -e /etc/frostwatch ] || [ -e /var/lib/frostwatch ] || id frostwatch >/dev/null 2>&1; then fail "the purge left something"; fi
ok "uninstalled"
