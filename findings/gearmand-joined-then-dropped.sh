#!/bin/sh
# gearmand lets a client join a queued job that it has already decided to drop, and then never answers that client.
#
# Version    gearmand 1.1.20 (Debian 12: gearman-job-server 1.1.20+ds-1)
# Behaviour  gearmand marks a queued foreground job when its last client has gone ("ignore" in `show jobs`), and drops it
#            when a worker would get it. A client that submits the job again in the meantime, after its connection was
#            cut, say, gets JOB_CREATED with the handle of the marked job, and the mark stays. The worker gets nothing,
#            the client is told nothing, and its connection is good. GET_STATUS alone tells: 1 before, 0 after. The next
#            submission is a new job, and is run.
# Seen       joined: JOB_CREATED with the first handle, status 1
#            the worker's grab: NO_JOB; status 0; told within a second: nothing
#            submitted once more: JOB_CREATED with another handle, the worker's grab: JOB_ASSIGN
#
# Exits with 1 when that is different.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download gearman-job-server=1.1.20+ds-1 \
  $(apt-get -s --no-install-recommends install gearman-job-server | awk '$1 == "Inst" && $2 !~ /gearman/ {print $2}') \
  >/dev/null
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
python3 - "$folder" <<'PYTHON'
import socket, struct, subprocess, sys, time

folder = sys.argv[1]
NAMES = {8: "JOB_CREATED", 10: "NO_JOB", 11: "JOB_ASSIGN", 20: "STATUS_RES"}
CAN_DO, SUBMIT_JOB, GRAB_JOB, GET_STATUS = 1, 7, 9, 15


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect():
    for _ in range(300):
        try:
            return socket.create_connection(("127.0.0.1", port), 20)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit(f"nobody listens on {port}")


def send(connection, command, *arguments):
    body = b"\0".join(arguments)
    connection.sendall(b"\0REQ" + struct.pack(">II", command, len(body)) + body)


def ask(connection, command, *arguments):
    """The name of the answer, and its arguments."""
    send(connection, command, *arguments)
    head = connection.recv(12, socket.MSG_WAITALL)
    answer, size = struct.unpack(">II", head[4:])
    body = connection.recv(size, socket.MSG_WAITALL) if size else b""
    return NAMES[answer], body.split(b"\0")


def submit(connection):
    return ask(connection, SUBMIT_JOB, b"resize", b"photo-1", b"data")


def status():
    return ask(again, GET_STATUS, first)[1][1].decode()


def jobs():
    with connect() as admin:
        admin.sendall(b"show jobs\n")
        text = b""
        while not text.endswith(b".\n"):
            text += admin.recv(4096)
        return text


port = free_port()
server = subprocess.Popen([folder + "/usr/sbin/gearmand", "--listen=127.0.0.1", f"--port={port}", "--log-file=none",
                           f"--pid-file={folder}/pid"], stderr=subprocess.DEVNULL)
try:
    with connect() as cut:
        first = submit(cut)[1][0]
    for _ in range(2000):
        if jobs() == first + b"\t0\t1\t0\n.\n":
            break
        time.sleep(0.01)
    else:
        sys.exit("the job is not marked")
    with connect() as again, connect() as worker:
        name, (handle,) = submit(again)
        seen = [f"joined: {name} with {'the first' if handle == first else 'another'} handle, status {status()}"]
        send(worker, CAN_DO, b"resize")
        grabbed = ask(worker, GRAB_JOB)[0]
        after = status()
        again.settimeout(1)
        try:
            told = repr(again.recv(4096))
        except socket.timeout:
            told = "nothing"
        again.settimeout(20)
        seen.append(f"the worker's grab: {grabbed}; status {after}; told within a second: {told}")
        name, (handle,) = submit(again)
        seen.append(f"submitted once more: {name} with {'the first' if handle == first else 'another'} handle, "
                    f"the worker's grab: {ask(worker, GRAB_JOB)[0]}")
finally:
    server.terminate()
    server.wait()

print("\n".join(seen))
sys.exit(seen != ["joined: JOB_CREATED with the first handle, status 1",
                  "the worker's grab: NO_JOB; status 0; told within a second: nothing",
                  "submitted once more: JOB_CREATED with another handle, the worker's grab: JOB_ASSIGN"])
PYTHON
