#!/bin/sh
# With gearmand 1.1.21 the SQLite store forgets what it has given back: a second, sudden end loses those jobs.
#
# Version    gearmand 1.1.20 (Debian 12: gearman-job-server 1.1.20+ds-1) and 1.1.21 (Debian 13: 1.1.21+ds-1)
# Behaviour  With --store-queue-on-shutdown background jobs are written when gearmand is stopped. At the next start both
#            versions queue them again. 1.1.20 leaves them in the database until each is done; 1.1.21 empties the table
#            as soon as it has read it. If that process is killed, or the machine loses power, before it is stopped in
#            order, 1.1.20 has the jobs once more and 1.1.21 has none. So an update of Debian changes what the option
#            promises; --help alone says so ("on shutdown only"). Without the option both write each job before its
#            JOB_CREATED, and lose none.
# Seen       1.1.20: stopped with 2, restarted with 2, killed and restarted with 2
#            1.1.21: stopped with 2, restarted with 2, killed and restarted with 0
#
# Exits with 1 when that is different. Needs mmdebstrap, and root (or a user who may have namespaces).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mmdebstrap --quiet --variant=extract --include=gearman-job-server=1.1.20+ds-1 bookworm "$folder/1.1.20"
mmdebstrap --quiet --variant=extract --include=gearman-job-server=1.1.21+ds-1 trixie "$folder/1.1.21"
python3 - "$folder" <<'PYTHON'
import glob, socket, struct, subprocess, sys, time

folder = sys.argv[1]
SUBMIT_JOB_BG = 18


class Gearmand:
    def __init__(self, version):
        root = f"{folder}/{version}"
        libraries = glob.glob(root + "/usr/lib/*-linux-gnu") + glob.glob(root + "/lib/*-linux-gnu")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [glob.glob(libraries[-1] + "/ld-linux-*")[0], "--library-path", ":".join(libraries),
             root + "/usr/sbin/gearmand", "--listen=127.0.0.1", f"--port={self.port}", "--log-file=none",
             f"--pid-file={root}/pid", "--queue-type=libsqlite3", f"--libsqlite3-db={root}/queue",
             "--store-queue-on-shutdown"], stderr=subprocess.DEVNULL)

    def connect(self):
        for _ in range(300):
            try:
                return socket.create_connection(("127.0.0.1", self.port), 60)
            except ConnectionRefusedError:
                time.sleep(0.1)
        sys.exit(f"nobody listens on {self.port}")

    def submit(self, unique):
        body = b"\0".join((b"resize", unique, b"picture"))
        with self.connect() as client:
            client.sendall(b"\0REQ" + struct.pack(">II", SUBMIT_JOB_BG, len(body)) + body)
            client.recv(12, socket.MSG_WAITALL)

    def queued(self):
        with self.connect() as admin:
            admin.sendall(b"status\r\n")
            reply = b""
            while not reply.endswith(b".\n"):
                reply += admin.recv(1000)
        rows = [row.split(b"\t") for row in reply.splitlines() if row != b"."]
        return sum(int(row[1]) for row in rows)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()


seen = []
for version in "1.1.20", "1.1.21":
    server = Gearmand(version)
    server.submit(b"1")
    server.submit(b"2")
    counts = [server.queued()]
    server.stop()
    server = Gearmand(version)
    counts.append(server.queued())
    server.kill()
    server = Gearmand(version)
    counts.append(server.queued())
    server.kill()
    seen.append("%s: stopped with %d, restarted with %d, killed and restarted with %d" % (version, *counts))

print("\n".join(seen))
sys.exit(seen != ["1.1.20: stopped with 2, restarted with 2, killed and restarted with 2",
                  "1.1.21: stopped with 2, restarted with 2, killed and restarted with 0"])
PYTHON
