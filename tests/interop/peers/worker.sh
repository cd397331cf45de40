#!/bin/sh
# Workers made with Debian's `gearman -w`: a task for each row of
# docs/guide/interop.md that the tool can do.
#
#   worker.sh PORT    # prints "ready", serves until it is killed
serve() {
  task=$1
  shift
  gearman -w -h 127.0.0.1 -p "$port" -f "$task" -- "$@" &
}
port=$1
serve success printf done
serve empty true
serve failure false
serve large cat
serve join sh -c 'go=$(cat)
  flock --shared "$go" true
  printf x >>"$go.runs"
  printf done'
echo ready
wait
