#!/usr/bin/env bash
# Prints each alert, and writes the eight pictures of its clip: subscribe.sh BROKER FOLDER [KCAT'S OPTIONS]
# With -e it ends at the end of the topic, without it goes on. Needs kcat, jq and perl.
set -euo pipefail
broker=$1 folder=$2
shift 2

# The clip is protobuf (topics/clip.proto) with whole JPEGs in it, from ff d8 ff to ff d9. The
# first eight are the clip's pictures.
pictures() { # TOPIC PARTITION OFFSET TO
  mkdir -p "$4"
  # With -e it ends where there is no such record; where it is kept no longer, another one comes.
  kcat -C -q -e -b "$broker" -t "$1" -p "$2" -o "$3" -c 1 -f '%o\n%s' </dev/null |
    to=$4 at=$3 perl -0777 -ne 's/^(\d+)\n// && $1 == $ENV{at} || exit; while ($n < 8 && /(\xff\xd8\xff.*?\xff\xd9)/sg) { open my $f, ">:raw", "$ENV{to}/" . ++$n . ".jpg" or die $!; print $f $1 }'
}

kcat -C -q -u -b "$broker" -t frostwatch.alerts -o beginning -f '%s\n' "$@" |
  jq --unbuffered -r '.data | [.state, .alert_id, .label, (.evidence // {} | .topic // "-", .partition // "-", .offset // "-")] | map(tostring | gsub("[[:cntrl:]]"; "?") | if . == "" then "_" else . end) | join("\t")' |
  while IFS=$'\t' read -r state id label topic partition offset; do
    echo "$state $id $label"
    if [ "$state" = raised ] && [ "$topic" != - ]; then
      pictures "$topic" "$partition" "$offset" "$folder/${id//[^A-Za-z0-9_-]/_}"
    fi
  done
