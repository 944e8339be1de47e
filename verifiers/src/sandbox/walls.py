"""The walls of the sandbox: what the fork server does to itself once, and what each box does to itself before anything
runs in it.

There are three levels. At `namespaces` a box has its own users, processes, mounts, network, IPC and host name, and sees
a root folder that holds only what its programs need, read-only. At `landlock` it shares all of these with the machine,
and rules refuse it files, sockets and signals. At `none` only limits and the filter of system calls are left.
"""

import os
import resource
import signal
import stat
import tempfile
import time

import polestar_kernel as kernel

# An unprivileged user and group on every machine, used where the fork server was started by root.
NOBODY = 65534
# What a guest is called inside of its own user namespace.
GUEST = 1000
# Where the new root is put together, inside of a mount namespace of our own.
NEW_ROOT = "/tmp"
DEVICES = ("null", "zero", "full", "random", "urandom")
# What programs look for under /etc; the rest of it is not there.
FROM_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "mime.types")
HIDING_PLACES = ("/tmp", "/dev/shm")
# Seconds for which files of boxes are removed before the next request is looked for.
REMOVAL_S = 0.02
# Before the number of the fork server's process, in names of folders of boxes.
PLACE_PREFIX = "polestar-box-"
FLAGS_BY_NAME = {
    "ro": kernel.MS_RDONLY,
    "nosuid": kernel.MS_NOSUID,
    "nodev": kernel.MS_NODEV,
    "noexec": kernel.MS_NOEXEC,
    "noatime": kernel.MS_NOATIME,
    "nodiratime": kernel.MS_NODIRATIME,
    "relatime": kernel.MS_RELATIME,
}


def shut_in(config):
    """Walls around the fork server itself. At `namespaces` it returns in a new process, the first of its namespace, and
    the one that called it waits for that one's end and never returns. Returns what `enter` needs."""
    if config["level"] != "namespaces":
        return _Shared(config)
    is_root = os.geteuid() == 0
    if is_root:
        # With root's rights, so that folders that only root may enter can be shown; then never again.
        kernel.unshare(kernel.CLONE_NEWNS)
        _build_root(config)
        become_nobody()
    outside = (os.geteuid(), os.getegid())
    kernel.unshare(
        kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC
        | kernel.CLONE_NEWUTS | kernel.CLONE_NEWNET | kernel.CLONE_NEWCGROUP
    )
    _map_user((0, 0), outside)
    child = os.fork()
    if child != 0:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if is_root:
        kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    else:
        _build_root(config)
    return _Apart(config)


def become_nobody():
    """From root to a user without rights."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    # Changing users makes /proc/self root's; it is wanted for the maps of users.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)


def _map_user(inside, outside, own=None):
    """Writes the maps, under /proc/self or the descriptor of a folder that is that."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", "%d %d 1" % (inside[0], outside[0])),
        ("gid_map", "%d %d 1" % (inside[1], outside[1])),
    ):
        _write_own(name, text, own)


def _write_own(name, text, own):
    path = "/proc/self/" + name if own is None else name
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC, dir_fd=own)
    with open(fd, "w", encoding="ascii") as file:
        file.write(text)


def _build_root(config):
    """Puts together a root folder with what programs need and nothing else, read-only, and moves into it."""
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    shown = _shown(config)
    # Held open before the new root hides what lies under its place.
    sources = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in shown]
    devices = [(name, os.open("/dev/" + name, os.O_PATH | os.O_CLOEXEC)) for name in DEVICES]
    etc = [(name, "/etc/" + name) for name in FROM_ETC if os.path.exists("/etc/" + name)]
    etc = [(name, os.open(path, os.O_PATH | os.O_CLOEXEC)) for name, path in etc]
    links = [(path, os.readlink(path)) for path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
             if os.path.islink(path)]
    kernel.mount("tmpfs", NEW_ROOT, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=755")
    for path, target in links:
        os.symlink(target, NEW_ROOT + path)
    for path, fd in sources:
        _bind(fd, NEW_ROOT + path)
    for name, fd in etc:
        _bind(fd, NEW_ROOT + "/etc/" + name)
    for name, text in (
        ("passwd", "guest:x:%d:%d::/tmp:/bin/sh\n" % (GUEST, GUEST)),
        ("group", "guest:x:%d:\n" % GUEST),
        ("hosts", "127.0.0.1 localhost\n"),
    ):
        os.makedirs(NEW_ROOT + "/etc", exist_ok=True)
        with open(NEW_ROOT + "/etc/" + name, "w", encoding="ascii") as file:
            file.write(text)
    for name, fd in devices:
        _bind(fd, NEW_ROOT + "/dev/" + name)
    for place in HIDING_PLACES + ("/proc",):
        os.makedirs(NEW_ROOT + place, exist_ok=True)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink("/proc/self/fd" + target, NEW_ROOT + "/dev/" + name)
    kernel.mount("proc", NEW_ROOT + "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    for _, fd in sources + devices + etc:
        os.close(fd)
    _make_read_only()
    kernel.pivot_to(NEW_ROOT)


def _shown(config):
    """The folders that boxes see."""
    wanted = ["/usr"] + [path for path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
                         if os.path.isdir(path) and not os.path.islink(path)]
    return outermost(wanted + config["readable"])


def outermost(paths):
    """Those of the paths that are there and lie in no other one."""
    kept = []
    for path in sorted({os.path.abspath(path) for path in paths if os.path.exists(path)}):
        if not any(path == other or path.startswith(other + "/") for other in kept):
            kept.append(path)
    return kept


def _bind(fd, target):
    """Shows what a descriptor stands for, with all that is mounted inside, under another path."""
    source = "/proc/self/fd/%d" % fd
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)


def _make_read_only():
    """Every mount of the new root, whatever else holds for it."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.split() for line in file]
    for fields in lines:
        # mountinfo writes blanks and the like as octal numbers.
        path = fields[4].encode("utf-8", "surrogateescape").decode("unicode_escape").encode("latin-1")
        path = os.fsdecode(path)
        if path != NEW_ROOT and not path.startswith(NEW_ROOT + "/"):
            continue
        if path == NEW_ROOT + "/proc":
            continue
        flags = sum({FLAGS_BY_NAME[name] for name in fields[5].split(",") if name in FLAGS_BY_NAME})
        flags |= kernel.MS_RDONLY | kernel.MS_NOSUID
        if not path.startswith(NEW_ROOT + "/dev/"):
            flags |= kernel.MS_NODEV
        kernel.mount(None, path, None, kernel.MS_REMOUNT | kernel.MS_BIND | flags)


def _limit(limits):
    """Limits that the kernel keeps for each process of the box."""
    megabyte = 1 << 20
    seconds = int(limits["cpu_s"]) + 1
    wanted = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, limits["tmp_mb"] * megabyte),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ]
    if limits["processes"] is not None:
        wanted.append((resource.RLIMIT_NPROC, limits["processes"]))
    if limits["address_mb"] is not None:
        wanted.append((resource.RLIMIT_AS, limits["address_mb"] * megabyte))
    for which, most in wanted:
        _, hard = resource.getrlimit(which)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))


def _set_oom_score(score, own=None):
    """What the kernel ends when memory is short is the guest, not who watches it."""
    _write_own("oom_score_adj", str(score), own)


class _Apart:
    """Boxes in namespaces of their own."""

    def __init__(self, config):
        self.filter = config["filter"]
        # Folders to be shown that lie where each box has files of its own.
        places = tuple(place + "/" for place in HIDING_PLACES)
        self.hidden = [path for path in outermost(config["readable"]) if path.startswith(places)]
        self.own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        # Networks that no box is in. To make one costs the kernel more than all other namespaces of a box, and a box,
        # which has no rights over its network, leaves nothing in one when its last process is gone.
        self.networks = []

    def before_fork(self, place):
        """The next process to be forked is in that network, and the first of a new namespace of processes."""
        kernel.setns(place, kernel.CLONE_NEWNET)
        kernel.setns(self.own, kernel.CLONE_NEWPID)
        kernel.unshare(kernel.CLONE_NEWPID)

    def enter(self, limits, place):
        """Makes this process, just forked, a box."""
        del place
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP)
        private = "size=%dm,nr_inodes=16384,mode=1777" % limits["tmp_mb"]
        hidden = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in self.hidden]
        for target in HIDING_PLACES:
            kernel.mount("tmpfs", target, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, private)
        for path, fd in hidden:
            _bind(fd, path)
            os.close(fd)
        # Of the fork server's view, which the next mount hides: what is written there is written once, by us.
        own = os.open("/proc/self", os.O_PATH | os.O_CLOEXEC)
        _set_oom_score(limits["oom_score"], own)
        # Nothing in it can be written, or a guest could choose to be ended later than who watches it.
        flags = kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
        kernel.mount("proc", "/proc", "proc", flags)
        kernel.unshare(kernel.CLONE_NEWUSER)
        _map_user((GUEST, GUEST), (0, 0), own)
        os.close(own)
        os.setsid()
        os.chdir("/tmp")
        _limit(limits)
        kernel.drop_capabilities()
        kernel.install_filter(self.filter)

    def make_place(self):
        """A network with nothing in it; a box's files are its own, and gone with it."""
        if self.networks:
            return self.networks.pop()
        kernel.unshare(kernel.CLONE_NEWNET)
        return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def clear_place(self, place):
        """Takes the network of a box that has ended back."""
        self.networks.append(place)

    def tidy(self):
        """Nothing: a box's files go with it."""
        return False

    def reap_orphans(self, pid):
        """Nothing: they end with the namespace."""

    def kill(self, pid):
        """Ends the first process of a box, and with it all others."""
        os.kill(pid, signal.SIGKILL)

    def close(self):
        """Nothing: the end of the fork server ends every box."""


class _Shared:
    """Boxes on the machine itself, with rules."""

    def __init__(self, config):
        if os.geteuid() == 0:
            become_nobody()
            _check_readable()
        if config["level"] == "landlock" and kernel.landlock_version() == 0:
            raise OSError("there is no Landlock in this kernel")
        self.level = config["level"]
        self.filter = config["filter"]
        self.readable = _shown(config) + ["/bin", "/sbin", "/lib", "/lib64"]
        self.readable += ["/etc/" + name for name in FROM_ETC]
        self.devices = ["/dev/" + name for name in DEVICES]
        # What a box leaves behind becomes this process's child, to be reaped by it and not to be left to whoever is above.
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        remove_left()
        self.base = tempfile.mkdtemp(prefix="%s%d-" % (PLACE_PREFIX, os.getpid()))
        self.others = _num_threads_of_user()
        # Of files of boxes that have ended.
        self.removals = []

    def before_fork(self, place):
        """Nothing."""

    def make_place(self):
        """A folder for the files of one box."""
        return tempfile.mkdtemp(dir=self.base)

    def enter(self, limits, place):
        """Makes this process, just forked, a box."""
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        # Later sessions and groups are refused by the filter, so that this one can be killed as a whole.
        os.setsid()
        os.chdir(place)
        os.environ.update(HOME=place, TMPDIR=place)
        tempfile.tempdir = place
        if limits["processes"] is not None:
            # The kernel counts all processes of the user.
            limits = dict(limits, processes=limits["processes"] + self.others)
        _set_oom_score(limits["oom_score"])
        _limit(limits)
        if self.level == "landlock":
            kernel.landlock(self.readable, self.devices, [place])
        kernel.install_filter(self.filter)

    def clear_place(self, place):
        """Removes a box's files, or begins to: what a program left in seconds may take seconds to remove."""
        self.removals.append(removal(place))
        self.tidy()

    def tidy(self):
        """Goes on removing files for a moment; whether there are more."""
        end = time.monotonic() + REMOVAL_S
        while self.removals and time.monotonic() < end:
            if next(self.removals[-1], self) is self:
                self.removals.pop()
        return bool(self.removals)

    def reap_orphans(self, pid):
        """Takes note of the ends of the processes of a box that was killed; each is our child by the time that its parent
        is reaped."""
        try:
            while True:
                os.waitpid(-pid, 0)
        except ChildProcessError:
            pass

    def kill(self, pid):
        """Ends every process of a box: they are one group, which none can leave."""
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            # It has not made its group yet.
            os.kill(pid, signal.SIGKILL)

    def close(self):
        """Removes what is left of all boxes."""
        remove_tree(self.base)


def _check_readable():
    """Where nothing is shown under another path, Python must be readable as it lies."""
    library = os.path.dirname(os.__file__)
    if not os.access(library, os.R_OK | os.X_OK):
        raise OSError(
            "%s cannot be read by the user without rights that a fork server of root becomes: name a Python in"
            " `python` that everybody can read, or start as another user" % library
        )


def remove_tree(root):
    """Removes a folder as a hostile program left it: too deep for paths and for recursion, or with folders that refuse
    to be read. What cannot be removed all the same stays."""
    for _ in removal(root):
        pass


def removal(root):
    """Removes a folder a bit for each item that is asked for."""
    waiting, count = [root], 0
    while waiting:
        folder = waiting.pop()
        try:
            os.chmod(folder, 0o700)
            for entry in os.listdir(folder):
                entry = os.path.join(folder, entry)
                yield
                if stat.S_ISDIR(os.lstat(entry).st_mode):
                    # Beside the root, so that no path gets long. To be moved, a folder must be writable.
                    count += 1
                    moved = "%s.%d" % (root, count)
                    os.chmod(entry, 0o700)
                    os.rename(entry, moved)
                    waiting.append(moved)
                else:
                    os.unlink(entry)
            os.rmdir(folder)
        except OSError:
            pass


def remove_left():
    """Folders of fork servers that were killed and could not remove them."""
    for name in os.listdir(tempfile.gettempdir()):
        if name.startswith(PLACE_PREFIX):
            pid = name[len(PLACE_PREFIX):].split("-")[0]
            if not os.path.exists("/proc/" + pid):
                # What is another user's stays.
                remove_tree(os.path.join(tempfile.gettempdir(), name))


def _num_threads_of_user():
    """How many threads the user has now, who may go on to have some more."""
    count = 0
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.stat("/proc/" + name).st_uid == os.geteuid():
                count += len(os.listdir("/proc/%s/task" % name))
        except OSError:
            pass
    return count + 64
