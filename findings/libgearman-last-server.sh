#!/bin/sh
# libgearman's clients use the last server of their list.
#
# Version    libgearman 1.1.20 (Debian 12: libgearman8, gearman-tools and gearman-job-server 1.1.20+ds-1)
# Behaviour  A client that is given three servers sends each job to the one that was named last. When that one is down,
#            it takes the one before it. No job is spread, and nothing says so. A list whose first entry is meant to be
#            the main server and the rest to be spare ones works the other way round. The tool's environment variable
#            shows it here; a program that calls gearman_client_add_servers does the same.
# Seen       three servers are up: a 0 b 0 c 5
#            the last one is down: a 0 b 5 c -
#
# Exits with 1 when that is different.
set -eu
folder=$(mktemp -d) servers=
trap 'kill $servers 2>/dev/null || :; wait; rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download gearman-job-server=1.1.20+ds-1 gearman-tools=1.1.20+ds-1 \
  libgearman8=1.1.20+ds-1 $(apt-get -s --no-install-recommends install gearman-job-server gearman-tools |
    awk '$1 == "Inst" && $2 !~ /gearman/ {print $2}') >/dev/null
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH

# start NAME: a server on a free port, which $NAME then holds.
start() {
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  usr/sbin/gearmand --listen=127.0.0.1 --port="$port" --log-file=none --pid-file="$folder/$1.pid" 2>/dev/null &
  servers="$servers $!"
  eval "$1=$port $1_process=$!"
  until usr/bin/gearadmin --host=127.0.0.1 --port="$port" --server-version >/dev/null 2>&1; do kill -0 $!; sleep 0.1; done
}

submit() {
  for job in 1 2 3 4 5; do
    GEARMAN_SERVERS="127.0.0.1:$a,127.0.0.1:$b,127.0.0.1:$c" usr/bin/gearman -b -f "$1" "$job"
  done
}

# jobs PORT FUNCTION: how many of them are queued there; a dash when nobody answers.
jobs_at() {
  usr/bin/gearadmin --host=127.0.0.1 --port="$1" --status 2>/dev/null >status || { echo -; return; }
  awk -v name="$2" '$1 == name {n = $2} END {print n + 0}' status
}

start a
start b
start c
submit first
seen="three servers are up: a $(jobs_at "$a" first) b $(jobs_at "$b" first) c $(jobs_at "$c" first)"
kill "$c_process"
wait "$c_process" || :
submit second
seen="$seen
the last one is down: a $(jobs_at "$a" second) b $(jobs_at "$b" second) c $(jobs_at "$c" second)"
echo "$seen"
[ "$seen" = "three servers are up: a 0 b 0 c 5
the last one is down: a 0 b 5 c -" ]
