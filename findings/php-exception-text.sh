#!/bin/sh
# A worker of PHP's extension that throws tells its client "Unable to add worker function".
#
# Version    php8.2-gearman 2.1.0+1.1.2-12 with php8.2-cli 8.2.36-1~deb12u1 (Debian 12), gearmand 1.1.20
# Behaviour  The callback of a GearmanWorker throws. The extension sends a WORK_EXCEPTION for the job, but its data is not
#            what was thrown: it is always the sentence "Unable to add worker function", which reads as if the worker had
#            not been set up. What was thrown comes out of GearmanWorker::work() in the worker, and nowhere else. A client
#            that looks for its reason in the exception, as with other libraries' workers, never finds it.
# Seen       the client's exception: Unable to add worker function
#            out of work(): there is no picture 17
#
# Exits with 1 when that is different.
set -eu
folder=$(mktemp -d) processes=
trap 'kill $processes 2>/dev/null || :; wait; rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download gearman-job-server=1.1.20+ds-1 gearman-tools=1.1.20+ds-1 \
  libgearman8=1.1.20+ds-1 php8.2-cli=8.2.36-1~deb12u1 php8.2-gearman=2.1.0+1.1.2-12 \
  $(apt-get -s --no-install-recommends install gearman-job-server gearman-tools php8.2-cli php8.2-gearman |
    awk '$1 == "Inst" && $2 !~ /gearman|^php8.2-cli$/ {print $2}') >/dev/null
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
usr/sbin/gearmand --listen=127.0.0.1 --port="$port" --log-file=none --pid-file="$folder/pid" 2>/dev/null &
processes=$!
until usr/bin/gearadmin --host=127.0.0.1 --port="$port" --server-version >/dev/null 2>&1; do kill -0 $!; sleep 0.1; done

cat >worker.php <<'PHP'
<?php
$worker = new GearmanWorker();
$worker->addServer('127.0.0.1', (int) $argv[1]);
$worker->addFunction('resize', function ($job) {
    throw new RuntimeException('there is no picture ' . $job->workload());
});
try {
    $worker->work();
} catch (RuntimeException $error) {
    echo 'out of work(): ', $error->getMessage(), "\n";
}
PHP
cat >client.php <<'PHP'
<?php
$client = new GearmanClient();
$client->addServer('127.0.0.1', (int) $argv[1]);
$client->setExceptionCallback(function ($task) {
    echo "the client's exception: ", $task->data(), "\n";
});
$client->addTask('resize', '17');
$client->runTasks();
PHP
php() { timeout 60 usr/bin/php8.2 -n -d extension="$(echo "$folder"/usr/lib/php/*/gearman.so)" "$@"; }
php worker.php "$port" >worker.out &
processes="$processes $!"
worker=$!
seen="$(php client.php "$port")"
wait "$worker"
seen="$seen
$(cat worker.out)"
echo "$seen"
[ "$seen" = "the client's exception: Unable to add worker function
out of work(): there is no picture 17" ]
