#!/bin/sh
# A worker of libgearman that is no partition function answers a reduce job with an empty result, and a partition function
# submits its parts last one first.
#
# Version    libgearman 1.1.20 (Debian 12: libgearman8, gearman-tools and gearman-job-server 1.1.20+ds-1)
# Behaviour  A client submits a reduce job (SUBMIT_REDUCE_JOB) to a task that the tool's worker `gearman -w` serves. The
#            worker does the job, submits its result as a job of its own to the reducer, waits for that, and answers the
#            client with WORK_COMPLETE and no data: neither its result nor the reducer's reaches anybody. No warning says so.
#            A worker that is meant for reduce jobs (gearman_function_create_partition) submits the parts in the reverse of
#            the order in which its function sends them, when that function returns, and its aggregator gets the results in
#            that order, too. Text that is put together in the order of the list comes out the wrong way round.
# Seen       the tool's worker: the reducer gets [b'words']; the client gets b''
#            a partition function that sends a, b, c: the reducer gets [b'c', b'b', b'a']; the aggregator lists b'CBA'
#
# Exits with 1 when that is different.
set -eu
folder=$(mktemp -d) processes=
trap 'kill $processes 2>/dev/null || :; wait; rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download gearman-job-server=1.1.20+ds-1 gearman-tools=1.1.20+ds-1 \
  libgearman8=1.1.20+ds-1 $(apt-get -s --no-install-recommends install gearman-job-server gearman-tools |
    awk '$1 == "Inst" && $2 !~ /gearman/ {print $2}') >/dev/null
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
usr/sbin/gearmand --listen=127.0.0.1 --port="$port" --log-file=none --pid-file="$folder/pid" 2>/dev/null &
processes=$!
until usr/bin/gearadmin --host=127.0.0.1 --port="$port" --server-version >/dev/null 2>&1; do kill -0 $!; sleep 0.1; done

# The tool's worker, whose result is its payload.
usr/bin/gearman -w -h 127.0.0.1 -p "$port" -f plain -- cat &
processes="$processes $!"

# A partition function that sends each letter of its payload, and an aggregator that joins the results.
cat >partition.py <<'END'
import ctypes, sys
lib = ctypes.CDLL("libgearman.so.8")
P, S = ctypes.c_void_p, ctypes.c_size_t
class Function(ctypes.Structure):  # gearman_function_t: a kind, and a union of at most two pointers
    _fields_ = [("kind", ctypes.c_int), ("function", P), ("aggregator", P)]
def declare(name, result, *arguments):
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments
    return function
create = declare("gearman_worker_create", P, P)
add_server = declare("gearman_worker_add_server", ctypes.c_int, P, ctypes.c_char_p, ctypes.c_uint16)
partition = declare("gearman_function_create_partition", Function, P, P)
define = declare("gearman_worker_define_function", ctypes.c_int, P, ctypes.c_char_p, S, Function, ctypes.c_uint32, P)
work = declare("gearman_worker_work", ctypes.c_int, P)
workload = declare("gearman_job_workload", P, P)
workload_size = declare("gearman_job_workload_size", S, P)
send_data = declare("gearman_job_send_data", ctypes.c_int, P, ctypes.c_char_p, S)
next_task = declare("gearman_next", P, P)
result_of = declare("gearman_task_result", P, P)
value = declare("gearman_result_value", P, P)
size = declare("gearman_result_size", S, P)
store = declare("gearman_result_store_value", ctypes.c_int, P, ctypes.c_char_p, S)
@ctypes.CFUNCTYPE(ctypes.c_int, P, P)
def split(job, context):
    for letter in ctypes.string_at(workload(job), workload_size(job)):
        send_data(job, bytes([letter]), 1)
    return 0
@ctypes.CFUNCTYPE(ctypes.c_int, P, P, P)
def join(aggregator, task, joined):
    text = b""
    while task:
        result = result_of(task)
        text += ctypes.string_at(value(result), size(result))
        task = next_task(task)
    return store(joined, text, len(text))
worker = create(None)
add_server(worker, b"127.0.0.1", int(sys.argv[1]))
define(worker, b"split", 5, partition(ctypes.cast(split, P), ctypes.cast(join, P)), 0, None)
while work(worker) == 0:
    pass
END
python3 partition.py "$port" &
processes="$processes $!"

cat >client.py <<'END'
import socket, struct, sys
def connect():
    return socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30)
def send(stream, kind, *arguments):
    body = b"\0".join(arguments)
    stream.sendall(b"\0REQ" + struct.pack(">II", kind, len(body)) + body)
def exactly(stream, count):
    data = b""
    while len(data) < count:
        more = stream.recv(count - len(data))
        if not more: sys.exit("the server has closed the connection")
        data += more
    return data
def receive(stream):
    kind, length = struct.unpack(">II", exactly(stream, 12)[4:])
    return kind, exactly(stream, length)
# The reducer: upper case.
reducer = connect()
send(reducer, 1, b"upper")                                        # CAN_DO
def reduce_one():
    while True:
        send(reducer, 9)                                          # GRAB_JOB
        kind, body = receive(reducer)
        if kind == 11:                                            # JOB_ASSIGN
            handle, _, data = body.split(b"\0", 2)
            send(reducer, 13, handle, data.upper())               # WORK_COMPLETE
            return data
        send(reducer, 4)                                          # PRE_SLEEP
        receive(reducer)
def run(task, payload, parts):
    client = connect()
    send(client, 37, task, b"", b"upper", b"", payload)           # SUBMIT_REDUCE_JOB
    receive(client)
    got = [reduce_one() for _ in range(parts)]
    return got, receive(client)[1].split(b"\0", 1)[1]
print("the tool's worker: the reducer gets %s; the client gets %s" % run(b"plain", b"words", 1))
print("a partition function that sends a, b, c: the reducer gets %s; the aggregator lists %s" % run(b"split", b"abc", 3))
END
seen=$(python3 client.py "$port")
echo "$seen"
[ "$seen" = "the tool's worker: the reducer gets [b'words']; the client gets b''
a partition function that sends a, b, c: the reducer gets [b'c', b'b', b'a']; the aggregator lists b'CBA'" ]
