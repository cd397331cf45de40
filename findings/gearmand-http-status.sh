#!/bin/sh
# Behind gearmand's HTTP protocol a worker that tells its progress loses its result.
#
# Version    gearmand 1.1.20 (Debian 12: gearman-job-server 1.1.20+ds-1)
# Behaviour  `gearmand -r http` makes a job of a request, and the reply of the first packet that the worker sends for it,
#            whichever that is. After a WORK_STATUS the reply is "200 OK" without a body, the connection ends, and the
#            result that follows goes nowhere. A job that has failed is "200 OK" without a body, too, as is one whose
#            result is empty: only the header X-Gearman-Command tells them apart.
# Seen       result: HTTP/1.0 200 OK, WORK_COMPLETE, body "done"
#            progress, then result: HTTP/1.0 200 OK, WORK_STATUS, body ""
#            failure: HTTP/1.0 200 OK, WORK_FAIL, body ""
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
import http.client, socket, struct, subprocess, sys, threading, time

folder = sys.argv[1]
CAN_DO, GRAB_JOB, JOB_ASSIGN, WORK_STATUS, WORK_COMPLETE, WORK_FAIL = 1, 9, 11, 12, 13, 14


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


def send(worker, command, *arguments):
    body = b"\0".join(arguments)
    worker.sendall(b"\0REQ" + struct.pack(">II", command, len(body)) + body)


def grab(worker):
    """The handle of the next job."""
    for _ in range(300):
        send(worker, GRAB_JOB)
        head = worker.recv(12, socket.MSG_WAITALL)
        size = struct.unpack(">I", head[8:])[0]
        body = worker.recv(size, socket.MSG_WAITALL) if size else b""
        if struct.unpack(">I", head[4:8])[0] == JOB_ASSIGN:
            return body.split(b"\0")[0]
        time.sleep(0.05)
    sys.exit("no job came")


def see(name, *answers):
    def work():
        handle = grab(worker)
        for command, *arguments in answers:
            send(worker, command, handle, *arguments)

    doing = threading.Thread(target=work)
    doing.start()
    client = http.client.HTTPConnection("127.0.0.1", http_port, timeout=20)
    client.request("POST", "/resize", name.encode())  # equal bodies would be one job
    reply = client.getresponse()
    doing.join()
    return (f"{name}: HTTP/1.{reply.version - 10} {reply.status} {reply.reason}, "
            f"{reply.getheader('X-Gearman-Command')}, body \"{reply.read().decode()}\"")


port, http_port = free_port(), free_port()
server = subprocess.Popen([folder + "/usr/sbin/gearmand", "--listen=127.0.0.1", f"--port={port}", "--protocol=http",
                           f"--http-port={http_port}", "--log-file=none", f"--pid-file={folder}/pid"],
                          stderr=subprocess.DEVNULL)
try:
    connect(http_port).close()
    with connect(port) as worker:
        send(worker, CAN_DO, b"resize")
        seen = [see("result", (WORK_COMPLETE, b"done")),
                see("progress, then result", (WORK_STATUS, b"1", b"2"), (WORK_COMPLETE, b"done")),
                see("failure", (WORK_FAIL,))]
finally:
    server.terminate()
    server.wait()

print("\n".join(seen))
sys.exit(seen != ['result: HTTP/1.0 200 OK, WORK_COMPLETE, body "done"',
                  'progress, then result: HTTP/1.0 200 OK, WORK_STATUS, body ""',
                  'failure: HTTP/1.0 200 OK, WORK_FAIL, body ""'])
PYTHON
