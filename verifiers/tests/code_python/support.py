"""What the tests of the Python side share: its modules by name, a judge and a solution joined by a channel."""

import importlib.util
import json
import os
import pathlib
import signal
import socket
import sys
import tempfile

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "src" / "code" / "python"
sys.dont_write_bytecode = True
for _name in ("wire", "errors", "guest", "proxy", "asserts", "judge", "load_check", "pytest_form"):
    _path = SOURCES / (_name + ".py")
    _spec = importlib.util.spec_from_file_location("polestar_" + _name, _path)
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["polestar_" + _name] = _module
    _spec.loader.exec_module(_module)

DEADLINE = 20


def forked(run, closed, folder):
    """Runs a function in a child process that ends with it, in an empty folder; gives back its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        signal.alarm(DEADLINE)
        for one in closed:
            os.close(one)
        silence = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2) if "SHOW" not in os.environ else (0,):
            os.dup2(silence, fd)
        os.chdir(tempfile.mkdtemp(dir=folder))
        run()
        status = 0
    except BaseException:
        if "SHOW" in os.environ:
            import traceback

            traceback.print_exc()
    finally:
        os._exit(status)


def judged(job, solution, guest=None):
    """The report of a verification as a list of entries. `solution` is source text or a list of them; `guest`, called
    with the descriptor, takes the place of the solution's process."""
    import polestar_guest
    import polestar_judge

    texts = [solution] if isinstance(solution, str) else solution
    module = job.get("module", "solution")
    names = ["<answer>"] if len(texts) == 1 else ["<prompt>", "<answer>"]
    sources = [{"name": name, "text": text} for name, text in zip(names, texts)]
    payload = json.dumps({"sources": sources, "module": module}).encode()
    ours, theirs = socket.socketpair()
    report, write = os.pipe()

    def run_guest():
        (guest or (lambda fd: polestar_guest.main(fd, payload)))(theirs.fileno())

    def run_judge():
        polestar_judge.main(ours.fileno(), write, json.dumps(job).encode())

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        children = [
            forked(run_guest, [ours.fileno(), report, write], folder),
            forked(run_judge, [theirs.fileno()], folder),
        ]
        ours.close()
        theirs.close()
        os.close(write)
        with open(report, "rb") as stream:
            text = stream.read()
        os.kill(children[0], signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)
    return [json.loads(line) for line in text.splitlines()]


def outcome(job, solution, guest=None):
    entries = judged(job, solution, guest)
    return entries[-1] if entries and "outcome" in entries[-1] else None
