#!/usr/bin/env bash
# Runs a command that may take minutes: `step.sh WHAT COMMAND...` says what begins, each
# 15 s that it goes on, and how long it took.
set -uo pipefail
what=$1
shift
say() { printf '%s\n' "$*" >&2; }
say "$what"
(while sleep 15 >/dev/null 2>&1; do say "  ... $SECONDS s so far"; done) &
ticker=$!
"$@"
rc=$?
kill "$ticker"
wait "$ticker" 2>/dev/null
[ $SECONDS -lt 5 ] || [ $rc != 0 ] || say "  done in $SECONDS s"
exit $rc
