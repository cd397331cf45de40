#!/bin/sh
# gearmand's Redis store gives jobs of a function whose name has a dash to another function after a restart.
#
# Version    gearmand 1.1.20 (Debian 12: gearman-job-server 1.1.20+ds-1), Redis 7.0.15
# Behaviour  A background job of the function "send-mail" is kept in Redis while gearmand restarts. Afterwards the
#            function "send-mail" has no job; a function "send" has one, whose unique is "mail-" and the unique that was
#            given. Its worker, if there is none for "send", waits in vain, and no message says so. The store keeps the
#            names in one key, joined by dashes, and takes them apart at the first one. (Jobs of the SQLite, PostgreSQL
#            and MySQL stores come back as they were; dashes in a unique alone do no harm.)
# Seen       before: send-mail 1
#            after the restart: send 1
#            its unique: mail-letter-1
#
# Exits with 1 when that is different.
set -eu
folder=$(mktemp -d) gearmand= redis=
trap 'kill $gearmand $redis 2>/dev/null || :; wait; rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download gearman-job-server=1.1.20+ds-1 gearman-tools=1.1.20+ds-1 \
  libgearman8=1.1.20+ds-1 redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 \
  $(apt-get -s --no-install-recommends install gearman-job-server gearman-tools redis-server |
    awk '$1 == "Inst" && $2 !~ /gearman|^redis-/ {print $2}') >/dev/null
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
redis_port=$(free_port)
usr/bin/redis-server --bind 127.0.0.1 --port "$redis_port" --save '' >/dev/null &
redis=$!
until usr/bin/redis-cli -p "$redis_port" ping >/dev/null 2>&1; do kill -0 $!; sleep 0.1; done

port=$(free_port)
admin() { usr/bin/gearadmin --host=127.0.0.1 --port="$port" "$@" 2>/dev/null; }
start() {
  usr/sbin/gearmand --listen=127.0.0.1 --port="$port" --log-file=none --pid-file="$folder/pid" \
    --queue-type=redis --redis-server=127.0.0.1 --redis-port="$redis_port" 2>/dev/null &
  gearmand=$!
  until admin --server-version >/dev/null; do kill -0 $!; sleep 0.1; done
}
queues() { admin --status | awk '$2 > 0 {print $1, $2}'; }

start
usr/bin/gearman -h 127.0.0.1 -p "$port" -b -f send-mail -u letter-1 'To: you'
seen="before: $(queues)"
kill "$gearmand"
wait "$gearmand" || :
start
seen="$seen
after the restart: $(queues)
its unique: $(admin --show-unique-jobs | grep -v '^\.$')"
echo "$seen"
[ "$seen" = "before: send-mail 1
after the restart: send 1
its unique: mail-letter-1" ]
