#!/bin/sh
# Bazel says that a test failed which passed, when its processes were stopped and continued meanwhile.
#
# Version    Bazel 4.2.3 (Debian 12: bazel-bootstrap-data 4.2.3+ds-9), its tools/test/test-setup.sh
# Behaviour  Bazel runs each test through a script that traps every signal but SIGCHLD, SIGCONT among them, and passes it
#            on. A trapped signal ends the script's wait for the test, and the script takes the signal for the test's
#            end: its status is 128 and the number of SIGCONT, 18. Somebody who stops all processes of a user for a
#            moment and continues them, to measure something else, finds every test that ran then FAILED with "exited
#            with error code 146", though the test itself ended with 0.
# Seen       undisturbed: status 0, the test ended with 0
#            stopped and continued: status 146, the test ended with 0
#
# Exits with 1 when that is different.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download bazel-bootstrap-data=4.2.3+ds-9 >/dev/null
dpkg -x ./*.deb .
python3 - "$folder" <<'PYTHON'
import os, pathlib, signal, subprocess, sys

folder = pathlib.Path(sys.argv[1])
setup = next(folder.glob("usr/share/bazel/**/tools/test/test-setup.sh"))


def run(disturb):
    """The script's status, and the test's own."""
    place = folder / ("disturbed" if disturb else "undisturbed")
    runfiles = place / "runfiles"
    (runfiles / "workspace").mkdir(parents=True)
    os.mkfifo(place / "begun")
    os.mkfifo(place / "end")
    test = runfiles / "workspace/test.sh"
    # It says that it runs, ends when it is told to, and leaves its status.
    test.write_text(f"#!/bin/sh\necho >{place}/begun\nread line <{place}/end\necho 0 >{place}/status\nexit 0\n")
    test.chmod(0o755)
    names = ("TEST_PREMATURE_EXIT_FILE", "TEST_WARNINGS_OUTPUT_FILE", "TEST_LOGSPLITTER_OUTPUT_FILE",
             "TEST_INFRASTRUCTURE_FAILURE_FILE", "TEST_UNUSED_RUNFILES_LOG_FILE", "TEST_UNDECLARED_OUTPUTS_DIR",
             "TEST_UNDECLARED_OUTPUTS_MANIFEST", "TEST_UNDECLARED_OUTPUTS_ZIP", "TEST_UNDECLARED_OUTPUTS_ANNOTATIONS",
             "TEST_UNDECLARED_OUTPUTS_ANNOTATIONS_DIR", "TEST_TMPDIR")
    environment = {**{name: str(place / name) for name in names}, "PATH": os.environ["PATH"], "HOME": str(place),
                   "USER": "nobody", "TEST_TARGET": "//:test", "TEST_NAME": "//:test", "TEST_WORKSPACE": "workspace",
                   "TEST_SRCDIR": str(runfiles), "RUNFILES_DIR": str(runfiles), "JAVA_RUNFILES": str(runfiles),
                   "PYTHON_RUNFILES": str(runfiles), "XML_OUTPUT_FILE": str(place / "xml"), "TEST_SIZE": "small",
                   "TEST_BINARY": "test.sh", "TEST_TIMEOUT": "60"}
    script = subprocess.Popen([setup, test], cwd=place, env=environment, start_new_session=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (place / "begun").read_text()
    if disturb:
        os.killpg(script.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, script.pid, os.WSTOPPED)
        os.killpg(script.pid, signal.SIGCONT)
    (place / "end").write_text("now\n")
    status = script.wait(60)
    return f"status {status}, the test ended with {(place / 'status').read_text().strip()}"


seen = ["undisturbed: " + run(False), "stopped and continued: " + run(True)]
print("\n".join(seen))
sys.exit(seen != ["undisturbed: status 0, the test ended with 0",
                  "stopped and continued: status 146, the test ended with 0"])
PYTHON
