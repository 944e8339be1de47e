"""A box that runs a program of the machine, as a compiler or a prover, with files and an environment of its own.

The role `tool` takes `payload`, JSON: {"run": [program, arguments], "environment": {name: value}, "files": {name: text},
"take_in": [names], "hand_out": [names]}; and one descriptor for each name of `take_in`, which is a file of that name to the
program, and then for each of `hand_out`, in that order.
"""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys

import polestar_zygote

MOST_BYTES = 1 << 20
# As shells have it: what cannot be run, and what stands before the number of a signal.
CANNOT_RUN = 127
SIGNALLED = 128


def read_all(fd):
    """What can be read from a descriptor, which is closed after."""
    parts = []
    while True:
        part = os.read(fd, MOST_BYTES)
        if not part:
            os.close(fd)
            return b"".join(parts)
        parts.append(part)


def write_text(name, text):
    """Writes a file of the box, with the folders that it lies in."""
    folder = os.path.dirname(name)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(name, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        file.write(text)


def become(command, environment):
    """Runs a program in this process; returns only where that is not possible."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        print("the program cannot be run: %s" % error, file=sys.stderr)
        return CANNOT_RUN


def _run(command, environment, inlets):
    """Runs a program in a process of its own; its exit status, as shells have it."""
    try:
        status = subprocess.run(command, env=environment, pass_fds=inlets, check=False).returncode
    except OSError as error:
        print("the program cannot be run: %s" % error, file=sys.stderr)
        return CANNOT_RUN
    return status if status >= 0 else SIGNALLED - status


def _hand_out(name, outlet):
    """Copies a file of the box, if it is there and a plain one."""
    try:
        # Neither a link nor a pipe that nobody writes to: the program may have put anything there.
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with open(fd, "rb") as source, open(outlet, "wb") as target:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            shutil.copyfileobj(source, target, MOST_BYTES)


def tool(payload, *others):
    """The program; where files are handed out, that is after its end, whatever its end was."""

    def run():
        # Read in the box: a text that does not fit into its memory is the end of it, not of making boxes.
        what = json.loads(read_all(payload))
        for name, text in what["files"].items():
            write_text(name, text)
        inlets, outlets = others[:len(what["take_in"])], others[len(what["take_in"]):]
        for name, inlet in zip(what["take_in"], inlets):
            # Nothing is copied: it may be large, and no box changes it.
            os.symlink("/proc/self/fd/%d" % inlet, name)
            os.set_inheritable(inlet, True)
        environment = dict(os.environ, **what["environment"])
        if not outlets:
            return become(what["run"], environment)
        status = _run(what["run"], environment, inlets)
        for name, outlet in zip(what["hand_out"], outlets):
            _hand_out(name, outlet)
        return status

    return run


polestar_zygote.ROLES["tool"] = tool
