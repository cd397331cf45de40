#!/bin/sh
# gearmand's SQLite store refuses one job more than the ones that met a lock.
#
# Version    gearmand 1.1.20 (Debian 12: gearman-job-server 1.1.20+ds-1), SQLite 3.40.1
# Behaviour  Another process, such as a backup, holds the database's write lock for a while. A background job that is
#            submitted meanwhile is refused after some seconds, as one expects. But the first job that is submitted after
#            the lock has gone is refused, too, and at once: gearmand resets its prepared INSERT only then, and takes the
#            old error for a new one. The next job is taken. A client that repeats a refused job once at a quiet server
#            gives up one try too early.
# Seen       before: JOB_CREATED
#            while locked: ERROR QUEUE_ERROR
#            unlocked, first: ERROR QUEUE_ERROR
#            unlocked, second: JOB_CREATED
#
# Exits with 1 when that is different.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download gearman-job-server=1.1.20+ds-1 libsqlite3-0=3.40.1-2+deb12u2 \
  $(apt-get -s --no-install-recommends install gearman-job-server |
    awk '$1 == "Inst" && $2 !~ /gearman|^libsqlite3-0/ {print $2}') >/dev/null
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
python3 - "$folder" <<'PYTHON'
import socket, sqlite3, struct, subprocess, sys, time

folder = sys.argv[1]
SUBMIT_JOB_BG, JOB_CREATED = 18, 8

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = subprocess.Popen([folder + "/usr/sbin/gearmand", "--listen=127.0.0.1", f"--port={port}", "--log-file=none",
                           f"--pid-file={folder}/pid", "--queue-type=libsqlite3", f"--libsqlite3-db={folder}/queue"],
                          stderr=subprocess.DEVNULL)


def connect():
    for _ in range(300):
        try:
            return socket.create_connection(("127.0.0.1", port), 60)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit(f"nobody listens on {port}")


def submit(unique):
    body = b"\0".join((b"resize", unique, b"picture"))
    client.sendall(b"\0REQ" + struct.pack(">II", SUBMIT_JOB_BG, len(body)) + body)
    head = client.recv(12, socket.MSG_WAITALL)
    body = client.recv(struct.unpack(">I", head[8:])[0], socket.MSG_WAITALL)
    if struct.unpack(">I", head[4:8])[0] == JOB_CREATED:
        return "JOB_CREATED"
    return "ERROR " + body.split(b"\0")[0].decode()


try:
    with connect() as client:
        seen = ["before: " + submit(b"1")]
        backup = sqlite3.connect(folder + "/queue", isolation_level=None)
        backup.execute("BEGIN EXCLUSIVE")
        seen.append("while locked: " + submit(b"2"))
        backup.execute("ROLLBACK")
        backup.close()
        seen.append("unlocked, first: " + submit(b"3"))
        seen.append("unlocked, second: " + submit(b"4"))
finally:
    server.terminate()
    server.wait()

print("\n".join(seen))
sys.exit(seen != ["before: JOB_CREATED", "while locked: ERROR QUEUE_ERROR", "unlocked, first: ERROR QUEUE_ERROR",
                  "unlocked, second: JOB_CREATED"])
PYTHON
