#!/bin/sh
# Of two background jobs with an empty unique one is lost: by gearmand's SQLite store the first, by PostgreSQL's the second.
#
# Version    gearmand 1.1.20 (Debian 12: gearman-job-server 1.1.20+ds-1), SQLite 3.40.1, PostgreSQL 15.18
# Behaviour  An empty unique means "join me with nobody": gearmand without a store makes two jobs of two submissions. Its
#            stores take function and unique for the key of their rows, though. With SQLite both submissions are
#            accepted, and both are run unless gearmand restarts: then only the second one is. With PostgreSQL the second
#            submission is refused as long as the first job is not done, with the text QUEUE_ERROR, which names no
#            reason. So a client that runs well with one of them fails, or loses jobs in silence, with the other.
#            (Perl's client 2.004 sends an empty unique when none is given; libgearman's clients make one.)
# Seen       sqlite: JOB_CREATED, JOB_CREATED; after a restart: two
#            postgresql: JOB_CREATED, ERROR QUEUE_ERROR; after a restart: one
#
# Exits with 1 when that is different. As root it runs PostgreSQL, which refuses root, as nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download gearman-job-server=1.1.20+ds-1 libsqlite3-0=3.40.1-2+deb12u2 \
  libpq5=15.18-0+deb12u1 postgresql-15=15.18-0+deb12u1 postgresql-client-15=15.18-0+deb12u1 \
  $(apt-get -s --no-install-recommends install gearman-job-server postgresql-15 |
    awk '$1 == "Inst" && $2 !~ /gearman|^postgresql|^libpq5|^libsqlite3-0/ {print $2}') >/dev/null
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
python3 - "$folder" <<'PYTHON'
import os, shutil, socket, struct, subprocess, sys, time

folder = sys.argv[1]
SUBMIT_JOB_BG, JOB_CREATED, CAN_DO, GRAB_JOB, JOB_ASSIGN, ERROR = 18, 8, 1, 9, 11, 19
AS_NOBODY = ["runuser", "-u", "nobody", "--"] if os.getuid() == 0 else []


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(port):
    for _ in range(300):
        try:
            return socket.create_connection(("127.0.0.1", port), 20)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit(f"nobody listens on {port}")


def ask(connection, command, *arguments):
    body = b"\0".join(arguments)
    connection.sendall(b"\0REQ" + struct.pack(">II", command, len(body)) + body)
    if command == CAN_DO:
        return None
    head = connection.recv(12, socket.MSG_WAITALL)
    size = struct.unpack(">I", head[8:])[0]
    body = connection.recv(size, socket.MSG_WAITALL) if size else b""
    return struct.unpack(">I", head[4:8])[0], body.split(b"\0")


def told(reply):
    return "JOB_CREATED" if reply[0] == JOB_CREATED else "ERROR " + reply[1][0].decode()


def see(name, options):
    port = free_port()
    command = [folder + "/usr/sbin/gearmand", "--listen=127.0.0.1", f"--port={port}", "--log-file=none",
               f"--pid-file={folder}/pid", *options]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    with connect(port) as client:
        replies = [told(ask(client, SUBMIT_JOB_BG, b"resize", b"", data)) for data in (b"one", b"two")]
    server.terminate()
    server.wait()
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    left = []
    with connect(port) as worker:
        ask(worker, CAN_DO, b"resize")
        while (reply := ask(worker, GRAB_JOB))[0] == JOB_ASSIGN:
            left.append(reply[1][2].decode())
    server.terminate()
    server.wait()
    return f"{name}: {', '.join(replies)}; after a restart: {', '.join(left)}"


seen = [see("sqlite", ["--queue-type=libsqlite3", f"--libsqlite3-db={folder}/queue"])]

bin, data, port = folder + "/usr/lib/postgresql/15/bin/", folder + "/data", free_port()
os.mkdir(data, 0o700)
if AS_NOBODY:
    shutil.chown(data, "nobody")
subprocess.run([*AS_NOBODY, bin + "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], check=True,
               stdout=subprocess.DEVNULL)
database = subprocess.Popen([*AS_NOBODY, bin + "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", data],
                            stderr=subprocess.DEVNULL)
try:
    ready = [bin + "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, check=False).returncode:
        time.sleep(0.1)
    seen.append(see("postgresql", ["--queue-type=Postgres", "--libpq-conninfo",
                                   f"host=127.0.0.1 port={port} user=postgres dbname=postgres"]))
finally:
    with open(data + "/postmaster.pid") as file:
        os.kill(int(file.readline()), 2)
    database.wait()

print("\n".join(seen))
sys.exit(seen != ["sqlite: JOB_CREATED, JOB_CREATED; after a restart: two",
                  "postgresql: JOB_CREATED, ERROR QUEUE_ERROR; after a restart: one"])
PYTHON
