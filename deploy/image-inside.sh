#!/usr/bin/env bash
# The part of image-test.sh that runs in namespaces of its own: image-inside.sh ROOT.
set -euo pipefail
root=$1
began=$SECONDS
ok() { printf '  %3s s  %s\n' $((SECONDS - began)) "$*"; }
fail() { printf 'FAIL: %s\n' "$*" >&2; exit 1; }

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp" -o mode=1777
mount -t tmpfs tmpfs "$root/var/lib/frostwatch" -o uid=65532,gid=65532,mode=0750
mount -t tmpfs tmpfs "$root/archive" -o uid=65532,gid=65532,mode=0750
mount -t tmpfs tmpfs "$root/dev" -o mode=0755
for d in null zero urandom random; do
  touch "$root/dev/$d"
  mount --bind "/dev/$d" "$root/dev/$d"
done
mount -o remount,bind,ro "$root" "$root"

# As a container that may do nothing runs it.
enter=(chroot "$root" /usr/bin/setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all
  /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/var/lib/frostwatch)
as_user() { "${enter[@]}" "$@"; }
frostwatch() { as_user frostwatch "$@"; }

for f in gcc go python3; do ! as_user sh -c "command -v $f" >/dev/null || fail "$f is in the image"; done
! as_user touch /opt/frostwatch/x 2>/dev/null || fail "it can write to its own folder"
! as_user touch /usr/x 2>/dev/null || fail "the root is writable"
for f in LICENSE NOTICE sbom.cdx.json licences/SOURCES.txt; do [ -s "$root/opt/frostwatch/$f" ] || fail "$f is missing"; done
ok "$(frostwatch version)"

declare -A pids=()
start() { # NAME ARGUMENTS...
  local name=$1
  shift
  "${enter[@]}" frostwatch "$@" >"$root/tmp/$name.log" 2>&1 &
  pids[$name]=$!
}
awaits() { # WHAT SECONDS LOG COMMAND...
  local what=$1 until=$((SECONDS + $2)) log=$root/tmp/$3.log
  shift 3
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || fail "no $what: $(tail -n 20 "$log")"
    sleep 0.3
  done
}
# SIGTERM goes to the program itself: chroot, setpriv and env have become it.
stops() { # NAME
  local since=$SECONDS
  kill -TERM "${pids[$1]}"
  wait "${pids[$1]}" || fail "$1: exit status $? after SIGTERM: $(tail -n 5 "$root/tmp/$1.log")"
  [ $((SECONDS - since)) -lt 20 ] || fail "$1 took longer to stop than the chart and compose.yaml allow"
  unset "pids[$1]"
}

start up up --data /var/lib/frostwatch/up
awaits "first alert of up" 120 up grep -q ' ALERT ' "$root/tmp/up.log"
ok "up: $(grep -m 1 ' ALERT ' "$root/tmp/up.log")"
stops up

# The servers of `up` are those of the stages now. It watches nothing itself.
start servers up --data /var/lib/frostwatch/up --camera none=rtsp://127.0.0.1:9/none
awaits "servers" 60 servers grep -q 'Ctrl-C stops it' "$root/tmp/servers.log"
start camera camsim --listen 127.0.0.1:28554 /var/lib/frostwatch/up/demo/corridor_fall.mp4
cat >"$root/tmp/frostwatch.yaml" <<'Y'
kafka: {brokers: ["127.0.0.1:19092"], prefix: "trial.", partitions: 2}
redis: {address: "127.0.0.1:16379", prefix: "trial:"}
archive: {bucket: /archive}
ingest: {packets: {dir: /var/lib/frostwatch/packets}}
cameras: [{name: corridor, url: "rtsp://127.0.0.1:28554/corridor_fall"}]
rules: [{name: fall, actions: ["falling down"], contrast: {raise: 0.5}, clips: 1 of 1, cooldown: 5s}]
Y
printf 'falling down\t{"begins":"a person standing","ends":"lying on the floor"}\nwalking\nstanding still\nlying on the floor\nan empty scene with nobody\n' >"$root/tmp/labels.txt"
as_user mkdir -p /var/lib/frostwatch/packets
frostwatch config check /tmp/frostwatch.yaml >"$root/tmp/check.log" || fail "config check: $(cat "$root/tmp/check.log")"
frostwatch vocab import /tmp/labels.txt --config /tmp/frostwatch.yaml >"$root/tmp/words.log" 2>&1 || fail "vocab import: $(cat "$root/tmp/words.log")"
port=28081
for stage in notify archive calibrate alerts infer console ingest; do
  start "$stage" "$stage" --config /tmp/frostwatch.yaml --http "127.0.0.1:$port"
  # The image's own health check.
  awaits "$stage that is ready" 60 "$stage" frostwatch healthcheck --ready "127.0.0.1:$port"
  port=$((port + 1))
done
ok "seven stages are ready"
alerted() { frostwatch alerts ls --config /tmp/frostwatch.yaml 2>&1 | tee "$root/tmp/alerts.log" | grep -q fall; }
awaits "alert of the stages" 120 alerts alerted
ok "stages: $(grep -m 1 fall "$root/tmp/alerts.log")"
since=$SECONDS
for stage in ingest console infer alerts calibrate archive notify; do stops "$stage"; done
ok "stopped, all in $((SECONDS - since)) s"
stops camera
stops servers
