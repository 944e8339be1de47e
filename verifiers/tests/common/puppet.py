"""A verifier that does to its caller what each response says."""
import json
import os
import signal
import subprocess
import sys
import time

out = sys.stdout.buffer


def write(data):
    out.write(data)
    out.flush()


def answer(request, **more):
    write(json.dumps({"id": request["id"], "score": 1.0, "reason": "as told", **more}).encode() + b"\n")


def grandchild():
    # Holds the pipes of this program.
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def act(request):
    word, _, rest = request["response"].partition(" ")
    if word == "wrong":
        answer(request, score=0.0, extracted=rest or None)
    elif word == "undecided":
        write(json.dumps({"id": request["id"], "undecided": rest}).encode() + b"\n")
    elif word == "say":
        write(rest.replace("ID", json.dumps(request["id"])).encode("utf-8", "surrogateescape") + b"\n")
    elif word == "bytes":
        write(bytes.fromhex(rest))
    elif word == "hang":
        time.sleep(600)
    elif word == "late":
        time.sleep(float(rest))
        answer(request)
    elif word == "exit":
        print("about to leave", file=sys.stderr, flush=True)
        os._exit(int(rest))
    elif word == "signal":
        os.kill(os.getpid(), getattr(signal, rest))
        time.sleep(600)
    elif word == "once":
        try:
            os.mkdir(rest)
        except FileExistsError:
            answer(request)
        else:
            os._exit(1)
    elif word == "leave":
        answer(request)
        os._exit(int(rest))
    elif word == "close":
        os.close(1)
        time.sleep(600)
    elif word == "half":
        write(b'{"id": ')
        os._exit(0)
    elif word == "unended":
        write(json.dumps({"id": request["id"], "score": 1.0}).encode())
        os._exit(0)
    elif word == "twice":
        line = json.dumps({"id": request["id"], "score": 1.0}).encode() + b"\n"
        write(line + line)
    elif word == "twice-later":
        answer(request)
        time.sleep(float(rest))
        answer(request)
    elif word == "endless":
        while True:
            write(b"x" * 65536)
    elif word == "blank":
        while True:
            write(b"\n" * 65536)
    elif word == "flood":
        while True:
            write(b"%s\n" % (b"x" * 1000))
    elif word == "big":
        answer(request, reason="x" * (int(rest) << 20))
    elif word == "stderr":
        for _ in range(int(rest)):
            os.write(2, b"e" * (1 << 20))
        answer(request)
    elif word == "stderr-flood":
        while True:
            os.write(2, b"e" * 65536)
    elif word == "both-flood":
        while True:
            os.write(2, b"e" * 65536)
            write(b"\n" * 10)
    elif word == "grandchild":
        grandchild()
        act({**request, "response": rest})
    elif word == "memory":
        held = bytearray(int(rest) << 20)
        answer(request, reason=f"{len(held)} bytes")
    elif word == "echo":
        answer(request, extracted=request)
    elif word == "pid":
        answer(request, extracted=str(os.getpid()))
    elif word == "random":
        answer(request, score=time.monotonic_ns() % 1000 / 1000)
    else:
        answer(request)


mode = sys.argv[1] if len(sys.argv) > 1 else ""
if mode == "die":
    sys.exit("I cannot live like this")
elif mode == "chatty":
    print("loading the model", flush=True)
elif mode == "deaf":
    time.sleep(600)
elif mode == "deaf-flood":
    while True:
        write(b"\n" * 4096)
elif mode == "deaf-answer":
    # Reads the id and nothing more.
    start = os.read(0, 100).decode()
    write(json.dumps({"id": start.split('"')[3], "score": 1}).encode() + b"\n")
    time.sleep(600)
for line in sys.stdin:
    act(json.loads(line))
