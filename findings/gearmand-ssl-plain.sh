#!/bin/sh
# gearmand --ssl of Debian 12 and Debian 13 serves plain text.
#
# Version    gearmand 1.1.20 (Debian 12: gearman-job-server 1.1.20+ds-1) and 1.1.21 (Debian 13: 1.1.21+ds-1)
# Behaviour  Debian builds gearmand without TLS, but its --help lists --ssl and the files that belong to it, gearmand
#            takes them without a word, starts also when there are no such files, and logs "with SSL: true". What
#            it serves is plain text, to anybody: a client without TLS works as ever, so that a forgotten client, or one
#            whose TLS is not switched on either, hides that nothing is encrypted. A TLS client gets an end of file.
# Seen       1.1.20: log "with SSL: true", plain version OK 1.1.20+ds, handshake fails
#            1.1.21: log "with SSL: true", plain version OK 1.1.21+ds, handshake fails
#
# Exits with 1 when that is different. Needs mmdebstrap, and root (or a user who may have namespaces).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mmdebstrap --quiet --variant=extract --include=gearman-job-server=1.1.20+ds-1 bookworm "$folder/1.1.20"
mmdebstrap --quiet --variant=extract --include=gearman-job-server=1.1.21+ds-1 trixie "$folder/1.1.21"
python3 - "$folder" <<'PYTHON'
import glob, socket, ssl, subprocess, sys, time

folder = sys.argv[1]


def connect(port):
    for _ in range(300):
        try:
            return socket.create_connection(("127.0.0.1", port), 60)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit(f"nobody listens on {port}")


def look(version):
    root = f"{folder}/{version}"
    libraries = glob.glob(root + "/usr/lib/*-linux-gnu") + glob.glob(root + "/lib/*-linux-gnu")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(root + "/log", "w") as log:
        server = subprocess.Popen(
            [glob.glob(libraries[-1] + "/ld-linux-*")[0], "--library-path", ":".join(libraries),
             root + "/usr/sbin/gearmand", "--listen=127.0.0.1", f"--port={port}", "--log-file=stderr",
             "--verbose=INFO", f"--pid-file={root}/pid", "--ssl", "--ssl-ca-file=/no/such/ca.pem",
             "--ssl-certificate=/no/such/server.pem", "--ssl-key=/no/such/server.key"], stderr=log)
    try:
        with connect(port) as client:
            client.sendall(b"version\r\n")
            plain = client.makefile().readline().strip()
        anybody = ssl.create_default_context()
        anybody.check_hostname = False
        anybody.verify_mode = ssl.CERT_NONE
        try:
            anybody.wrap_socket(connect(port)).close()
            handshake = "succeeds"
        except (ssl.SSLError, ConnectionError):
            handshake = "fails"
    finally:
        server.terminate()
        server.wait()
    with open(root + "/log") as log:
        logged = 'log "with SSL: true"' if "with SSL: true" in log.read() else "log without SSL"
    return f"{version}: {logged}, plain version {plain}, handshake {handshake}"


seen = [look("1.1.20"), look("1.1.21")]
print("\n".join(seen))
sys.exit(seen != ['1.1.20: log "with SSL: true", plain version OK 1.1.20+ds, handshake fails',
                  '1.1.21: log "with SSL: true", plain version OK 1.1.21+ds, handshake fails'])
PYTHON
