"""What a box of the kind `code` can be. Each function takes the box's own descriptors and returns what runs in it.

What runs returns the exit status of the box, or leaves by itself.
"""

import json
import os
import random
import shutil
import subprocess
import tarfile

import polestar_guest
import polestar_judge
import polestar_zygote
from polestar_tool import MOST_BYTES, become, read_all, write_text


def role(function):
    """Makes a function a role under its name."""
    polestar_zygote.ROLES[function.__name__] = function
    return function


@role
def guest(payload, channel):
    """The solution, serving calls."""
    random.seed(0)
    # Read in the box: a text that does not fit into its memory is the end of it, not of making boxes.
    return lambda: polestar_guest.main(channel, read_all(payload))


@role
def judge(payload, channel, report):
    """The tests, calling the solution."""
    data = read_all(payload)
    random.seed(0)
    return lambda: polestar_judge.main(channel, report, data)


@role
def inspect(payload, report):
    """A look at the tests that runs none of them."""
    data = read_all(payload)

    def run():
        text = json.dumps(polestar_judge.inspect(data))
        with open(report, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        return 0

    return run


@role
def program(payload):
    """A Python program that reads standard input and writes standard output."""
    random.seed(0)
    return lambda: polestar_guest.run_program(read_all(payload))


@role
def build(payload, artifact):
    """A program in another language: its folder, compiled, goes into the artifact as a tar file."""

    def run():
        what = json.loads(read_all(payload))
        write_text(what["source"], what["text"])
        if what["compile"] is not None:
            done = subprocess.run(what["compile"], stdin=subprocess.DEVNULL, check=False)
            if done.returncode != 0:
                return 1
        with open(artifact, "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
            tar.add(".")
        return 0

    return run


@role
def command(payload, artifact):
    """A command in a folder as `build` left it."""
    what = json.loads(read_all(payload))

    def run():
        os.lseek(artifact, 0, os.SEEK_SET)
        with open(artifact, "rb") as file, tarfile.open(fileobj=file) as tar:
            unpack(tar)
        return become(what["run"], os.environ)

    return run


def unpack(tar):
    """Writes folders and files. What the archive holds comes from a box, and this box is the wall for it. Modes are
    given where files are made: not every level lets them be changed."""
    for member in tar:
        if member.isdir():
            os.makedirs(member.name, exist_ok=True)
        elif member.isfile():
            fd = os.open(member.name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o755)
            with open(fd, "wb") as out:
                shutil.copyfileobj(tar.extractfile(member), out, MOST_BYTES)
