#!/bin/sh
# libgearman's gearman_worker_work fails when its job fails, and the next call does no job.
#
# Version    libgearman 1.1.20 (Debian 12: libgearman8, libgearman-dev, gearman-tools and gearman-job-server 1.1.20+ds-1)
# Behaviour  When a function fails its job, the server is told, and gearman_worker_work returns GEARMAN_WORK_FAIL, as if
#            the worker were in trouble. It is not: the next call returns GEARMAN_SUCCESS, but does no job, and the one
#            after it goes on. So a program that works as long as the call succeeds is ended by the first job that fails,
#            and one that counts calls counts jobs that there were not.
# Seen       a good job: GEARMAN_SUCCESS
#            a bad job: GEARMAN_WORK_FAIL
#            no job: GEARMAN_SUCCESS
#            a good job: GEARMAN_SUCCESS
#
# Exits with 1 when that is different.
set -eu
folder=$(mktemp -d) processes=
trap 'kill $processes 2>/dev/null || :; wait; rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download gearman-job-server=1.1.20+ds-1 gearman-tools=1.1.20+ds-1 \
  libgearman8=1.1.20+ds-1 libgearman-dev=1.1.20+ds-1 $(apt-get -s --no-install-recommends install gearman-job-server \
    gearman-tools | awk '$1 == "Inst" && $2 !~ /gearman/ {print $2}') >/dev/null
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH

cat >worker.c <<'END'
#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fails each job whose payload is not "good". */
static void *judge(gearman_job_st *job, void *context, size_t *size, gearman_return_t *ret) {
  int good = gearman_job_workload_size(job) == 4;
  *(const char **)context = good ? "a good job" : "a bad job";
  *size = 0;
  *ret = good ? GEARMAN_SUCCESS : GEARMAN_WORK_FAIL;
  return NULL;
}

int main(int argc, char **argv) {
  const char *done;
  gearman_return_t ret;
  gearman_worker_st *worker = gearman_worker_create(NULL);
  if (argc != 2 || gearman_worker_add_server(worker, "127.0.0.1", (in_port_t)atoi(argv[1])) != GEARMAN_SUCCESS) return 2;
  gearman_worker_add_function(worker, "judge", 0, judge, &done);
  for (int i = 0; i < 4; ++i) {
    done = "no job";
    ret = gearman_worker_work(worker);
    printf("%s: %s\n", done, ret == GEARMAN_SUCCESS     ? "GEARMAN_SUCCESS"
                             : ret == GEARMAN_WORK_FAIL ? "GEARMAN_WORK_FAIL"
                                                        : gearman_strerror(ret));
    fflush(stdout);
  }
  gearman_worker_free(worker);
  return 0;
}
END
cc -std=c99 -I usr/include worker.c -L "$LD_LIBRARY_PATH" -Wl,--allow-shlib-undefined "$LD_LIBRARY_PATH/libgearman.so.8" -o worker

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
usr/sbin/gearmand --listen=127.0.0.1 --port="$port" --log-file=none --pid-file="$folder/pid" 2>/dev/null &
processes=$!
until usr/bin/gearadmin --host=127.0.0.1 --port="$port" --server-version >/dev/null 2>&1; do kill -0 $!; sleep 0.1; done
for payload in good bad good; do
  usr/bin/gearman -h 127.0.0.1 -p "$port" -b -f judge "$payload"
done
seen=$(timeout 20 ./worker "$port")
echo "$seen"
[ "$seen" = "a good job: GEARMAN_SUCCESS
a bad job: GEARMAN_WORK_FAIL
no job: GEARMAN_SUCCESS
a good job: GEARMAN_SUCCESS" ]
