#!/bin/sh
# gearman -w -n sends with each line all lines before it.
#
# Version    gearman 1.1.20 (Debian 12: gearman-tools, libgearman8 and gearman-job-server 1.1.20+ds-1)
# Behaviour  As a worker with -n ("Send data packet for each line") the tool gives each line of its command's output to
#            the client as a WORK_DATA of its own. It gathers the output for the result in the same buffer and sends
#            that buffer from its start: the second packet has two lines, the third has three. So a client that appends
#            what comes gets the first line as often as there are lines, and a job with n lines sends some n*n/2 of
#            them. Without -n the client gets each line once. -N leaves out only the last line end.
# Seen       with -n, with -N: one one two one two three
#            without:         one two three
#
# Exits with 1 when that is different.
set -eu
folder=$(mktemp -d) processes=
trap 'kill $processes 2>/dev/null || :; wait; rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download gearman-job-server=1.1.20+ds-1 gearman-tools=1.1.20+ds-1 \
  libgearman8=1.1.20+ds-1 $(apt-get -s --no-install-recommends install gearman-job-server gearman-tools |
    awk '$1 == "Inst" && $2 !~ /gearman/ {print $2}') >/dev/null
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
usr/sbin/gearmand --listen=127.0.0.1 --port="$PORT" --log-file=stderr --pid-file="$folder/pid" 2>/dev/null &
processes=$!
PORT=$PORT timeout 60 python3 -c 'import os, socket, time
while socket.socket().connect_ex(("127.0.0.1", int(os.environ["PORT"]))): time.sleep(0.1)'

# lines OPTION...: the packets of data that a client gets, with a blank between any two lines and any two packets. The
# client speaks the protocol itself, so that nothing but the worker decides what a packet is.
lines() {
  usr/bin/gearman -h 127.0.0.1 -p "$PORT" -w -c 1 -f lines "$@" -- printf 'one\ntwo\nthree\n' >/dev/null 2>&1 &
  PORT=$PORT timeout 60 python3 - <<'PYTHON'
import os, socket, struct

SUBMIT_JOB, WORK_COMPLETE, WORK_DATA = 7, 13, 28
with socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))) as peer:
    body = b"lines\0\0x"
    peer.sendall(struct.pack(">4sII", b"\0REQ", SUBMIT_JOB, len(body)) + body)
    stream, words, kind = peer.makefile("rb"), [], 0
    while kind != WORK_COMPLETE:
        magic, kind, size = struct.unpack(">4sII", stream.read(12))
        body = stream.read(size)
        if kind in (WORK_DATA, WORK_COMPLETE):
            words += body.partition(b"\0")[2].decode().split()
print(*words)
PYTHON
  wait $!
}

status=0
# expect NAME WORDS OPTION...
expect() {
  name=$1 expected=$2
  shift 2
  seen=$(lines "$@")
  echo "$name: $seen"
  [ "$seen" = "$expected" ] || status=1
}
expect "with -n" "one one two one two three" -n
expect "with -N" "one one two one two three" -N
expect "without" "one two three"
exit $status
