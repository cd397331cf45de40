#!/bin/sh
# Debian's `gearman` as a client.
#
#   client.sh PORT TASK UNIQUE < payload
#
# Prints what it prints and how it ends, as libgearman_client.cc does.
out=$(mktemp) && err=$(mktemp) || exit 1
gearman -h 127.0.0.1 -p "$1" -f "$2" -u "$3" >"$out" 2>"$err"
code=$?
hex() {
  od -An -v -tx1 "$1" | tr -d ' \n'
}
[ ! -s "$out" ] || echo "prints $(hex "$out")"
[ ! -s "$err" ] || echo "says $(hex "$err")"
echo "exit $(printf %s "$code" | od -An -v -tx1 | tr -d ' \n')"
rm -f "$out" "$err"
