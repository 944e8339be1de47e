"""The fork server: a warm interpreter inside of the sandbox's outer walls that forks a box for each request.

A request is one packet: JSON, and the descriptors that the box gets. What is judged and what it is judged by never pass
through here: they come to the box over a descriptor that this process hands on unread, because everything that this
process knows is in the memory of every box. Nothing that was not written by us runs in this process.

Requests: {"spawn": id, "role": name, "fds": [names], "limits": {...}} and {"kill": id, "measure": whether to count first how
much core time its processes had, which the kernel tells of none that is killed}.
Replies: {"ready": {...}} once, or {"failed": why}; {"ended": id, "problem": text or null, "exit": code or null,
"signal": number or null, "cpu_s": seconds, "peak_kb": number} for each box. `problem`: it was no box yet.
"""

import fcntl
import gc
import json
import os
import random
import select
import socket
import sys
import traceback

import polestar_walls as walls

# Modules that solutions often import: loaded once here, they cost a box nothing.
COMMON = (
    "array bisect cmath collections copy dataclasses datetime decimal enum fractions functools heapq io itertools math"
    " operator re statistics string struct textwrap types typing abc contextlib numbers threading unicodedata"
).split()
MOST_BYTES = 1 << 16
MOST_FDS = 16
ENTERED = b"entered"
# What boxes can be, by name: functions that take the box's descriptors and make the function that runs in it.
ROLES = {}
# Where a descriptor of that name is to be in the box. The others follow, in the order of the request.
PLACES = {"stdin": 0, "out": 1, "err": 2}


def main(config):
    """Serves until the other side of descriptor 0 is closed."""
    control = socket.socket(fileno=os.dup(0))
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    _, procs, _, _ = socket.recv_fds(control, MOST_BYTES, MOST_FDS)
    try:
        for fd in procs:
            # A cgroup takes in whoever writes this.
            os.write(fd, b"0")
            os.close(fd)
        inside = walls.shut_in(config)
        for name in COMMON:
            __import__(name)
        random.seed(0)
    except Exception as error:
        _send(control, {"failed": "%s: %s" % (type(error).__name__, error)})
        return
    gc.collect()
    gc.freeze()
    _send(control, {"ready": {"version": "%d.%d.%d" % sys.version_info[:3]}})
    server = Server(control, inside)
    try:
        server.serve()
    finally:
        inside.close()


def _send(control, message):
    control.sendall(json.dumps(message).encode("ascii"))


class Box:
    """A forked process, as the fork server sees it."""

    def __init__(self, number, pid, note, place):
        self.number = number
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.note = note
        self.place = place
        self.cpu_s = 0.0


class Server:
    """Takes requests and tells of ends."""

    def __init__(self, control, inside):
        self.control = control
        self.inside = inside
        self.boxes = {}
        self.poll = select.poll()
        self.poll.register(control.fileno(), select.POLLIN)

    def serve(self):
        """Until nobody asks any more; then every box is ended."""
        is_open = True
        while is_open:
            # While nobody asks for anything there is time for what boxes left.
            for fd, _ in self.poll.poll(0 if self.inside.tidy() else None):
                if fd == self.control.fileno():
                    is_open = self.receive()
                elif fd in self.boxes:
                    self.reap(self.boxes.pop(fd))
        for box in list(self.boxes.values()):
            self.kill(box)
            self.reap(box)

    def receive(self):
        """One request; whether there may be more."""
        data, fds, _, _ = socket.recv_fds(self.control, MOST_BYTES, MOST_FDS)
        if not data:
            return False
        try:
            request = json.loads(data)
            if "spawn" in request:
                self.spawn(request, fds)
            else:
                for box in list(self.boxes.values()):
                    if box.number == request["kill"]:
                        if request.get("measure"):
                            box.cpu_s = _core_time(box.pid)
                        self.kill(box)
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def spawn(self, request, fds):
        """Forks a box; where that is refused, tells of its end at once."""
        number = request["spawn"]
        note, child_note = os.pipe()
        place = None
        try:
            place = self.inside.make_place()
            self.inside.before_fork(place)
            pid = os.fork()
        except OSError as error:
            os.close(note)
            os.close(child_note)
            if place is not None:
                self.inside.clear_place(place)
            self.tell_end(number, problem="no process could be started: %s" % error)
            return
        if pid == 0:
            self.become_box(request, fds, child_note, place)
        os.close(child_note)
        box = Box(number, pid, note, place)
        self.boxes[box.pidfd] = box
        self.poll.register(box.pidfd, select.POLLIN)

    def become_box(self, request, fds, note, place):
        """In the child: walls, then the role. Never returns."""
        status = 1
        try:
            rest = _arrange(request["fds"], fds, note)
            note = rest.pop(0)
            self.inside.enter(request["limits"], place)
            run = _role(request["role"], rest)
            os.write(note, ENTERED)
            os.close(note)
        except BaseException as error:
            os.write(note, ("%s: %s" % (type(error).__name__, error)).encode("utf-8", "replace")[:1000])
            os._exit(1)
        try:
            status = run()
        except BaseException:
            traceback.print_exc()
        finally:
            try:
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(status if isinstance(status, int) else 0)

    def kill(self, box):
        """Ends all of a box."""
        try:
            self.inside.kill(box.pid)
        except ProcessLookupError:
            pass

    def reap(self, box):
        """Takes note of an end."""
        self.poll.unregister(box.pidfd)
        os.close(box.pidfd)
        # What its first process left behind.
        self.kill(box)
        _, status, usage = os.wait4(box.pid, 0)
        self.inside.reap_orphans(box.pid)
        entered = os.read(box.note, 2000)
        os.close(box.note)
        if box.place is not None:
            self.inside.clear_place(box.place)
        problem = None if entered == ENTERED else entered.decode("utf-8", "replace") or "it ended before it was shut in"
        code = os.waitstatus_to_exitcode(status)
        self.tell_end(
            box.number,
            problem=problem,
            exit=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            cpu_s=max(box.cpu_s, usage.ru_utime + usage.ru_stime),
            peak_kb=usage.ru_maxrss,
        )

    def tell_end(self, number, problem=None, exit=None, signal=None, cpu_s=0.0, peak_kb=0):
        """Tells the other side."""
        message = dict(ended=number, problem=problem, exit=exit, signal=signal, cpu_s=cpu_s, peak_kb=peak_kb)
        try:
            _send(self.control, message)
        except OSError:
            # Nobody asks any more; the next look at the control socket sees it.
            pass


def _core_time(pid):
    """Seconds that the processes of a box had a core: all below its first one, and all of its session."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                # It has ended by now.
                continue
            found[int(name)] = int(fields[1]), int(fields[3]), sum(map(int, fields[11:15]))
    members, size = {pid}, 0
    while size != len(members):
        size = len(members)
        members |= {other for other, (parent, session, _) in found.items() if parent in members or session == pid}
    return sum(found[member][2] for member in members if member in found) / os.sysconf("SC_CLK_TCK")


def _arrange(names, fds, note):
    """Puts descriptors in their places, and closes all others: this box's note comes first behind the standard ones,
    then those of the request without a fixed place, in order. Returns where these are."""
    high = [os.dup(fd) for fd in [note] + fds]
    moved = [os.open("/dev/null", os.O_RDWR)] + high
    # All far above the places, so that none is overwritten before it was moved.
    moved = [_far(fd) for fd in moved]
    null, note, given = moved[0], moved[1], moved[2:]
    for place in (0, 1, 2):
        os.dup2(null, place)
    rest, free = [], 3
    for name, fd in [("note", note)] + list(zip(names, given)):
        if name in PLACES:
            os.dup2(fd, PLACES[name])
        else:
            os.dup2(fd, free)
            rest.append(free)
            free += 1
    if "out" in names and "err" not in names:
        os.dup2(1, 2)
    os.closerange(free, 1 << 20)
    sys.stdin = open(0, "r", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    return rest


def _far(fd):
    return fcntl.fcntl(fd, fcntl.F_DUPFD, 100)


def _role(name, fds):
    """What the box does, of its descriptors."""
    if name == "probe":
        return lambda: 0
    return ROLES[name](*fds)
