"""The system calls that the standard library lacks: namespaces, mounts, capabilities, filters of system calls, Landlock.

Each function raises OSError with the name of the call, so that a message says what the machine refused.
"""

import ctypes
import os
import platform
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
MS_NOATIME, MS_NODIRATIME, MS_RELATIME = 1 << 10, 1 << 11, 1 << 21
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP = 1, 4, 22
PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 24, 36, 38
SECCOMP_MODE_FILTER = 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522

# Of calls that the C library may not name; the same on every architecture since Linux 4.17.
SYS_LANDLOCK_CREATE_RULESET, SYS_LANDLOCK_ADD_RULE, SYS_LANDLOCK_RESTRICT_SELF = 444, 445, 446
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
# Told once, so that a call takes plain numbers: a box makes some fifty of these.
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


def _checked(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))
    return result


def _path(path):
    return None if path is None else os.fsencode(path)


def unshare(flags):
    """Leaves the namespaces of these kinds for new ones."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare(%#x)" % flags)


def setns(fd, kind):
    """Enters the namespace of a descriptor."""
    _checked(_libc.setns(ctypes.c_int(fd), ctypes.c_int(kind)), "setns")


def mount(source, target, kind, flags, data=None):
    """Mounts; the flags are the MS_ ones."""
    result = _libc.mount(_path(source), _path(target), _path(kind), ctypes.c_ulong(flags), _path(data))
    _checked(result, "mount %s on %s" % (source or kind, target))


def pivot_to(root):
    """Makes a mounted folder the root, and lets go of the old one."""
    number = SYS_PIVOT_ROOT.get(platform.machine())
    if number is None:
        raise OSError("pivot_root is not known on the architecture " + platform.machine())
    os.chdir(root)
    # The old root comes to lie over the new one, and is taken off from there.
    _checked(_libc.syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", ctypes.c_int(MNT_DETACH)), "umount2 of the old root")
    os.chdir("/")


def prctl(option, *arguments):
    """One option of the process."""
    padded = arguments + (0,) * (4 - len(arguments))
    return _checked(_libc.prctl(option, *padded), "prctl(%d)" % option)


def drop_capabilities():
    """Gives up every capability, for good."""
    number = 0
    # Until the kernel knows no capability of that number.
    while _libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0:
        number += 1
    header = struct.pack("=Ii", LINUX_CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, bytes(24)), "capset")


def install_filter(program):
    """Installs a filter of system calls: the bytes of its instructions."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    buffer = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a count of instructions, padding, a pointer.
    description = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    holder = ctypes.create_string_buffer(description, len(description))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(holder))


# Landlock's rights over files, by the version of the interface that brought them.
_FS_EXECUTE, _FS_WRITE_FILE, _FS_READ_FILE, _FS_READ_DIR = 1, 2, 4, 8
_FS_ALL_OF_1 = (1 << 13) - 1
_FS_REFER, _FS_TRUNCATE, _FS_IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_READ = _FS_EXECUTE | _FS_READ_FILE | _FS_READ_DIR
_OF_FILES = _FS_EXECUTE | _FS_WRITE_FILE | _FS_READ_FILE | _FS_TRUNCATE | _FS_IOCTL_DEV
_NET_ALL = 3
_SCOPE_ALL = 3
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1


def landlock_version():
    """The version of Landlock's interface; 0 where there is none."""
    version = _libc.syscall(
        ctypes.c_long(SYS_LANDLOCK_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint(_CREATE_RULESET_VERSION)
    )
    return max(version, 0)


def landlock(readable, devices, writable):
    """Shuts the process in: it reads and runs what is under `readable`, reads and writes `devices`, and does anything
    to files under `writable`. Everything that the version of the interface knows is refused beside that."""
    version = landlock_version()
    if version == 0:
        raise OSError("there is no Landlock in this kernel")
    files = _FS_ALL_OF_1 | (_FS_REFER if version >= 2 else 0) | (_FS_TRUNCATE if version >= 3 else 0)
    files |= _FS_IOCTL_DEV if version >= 5 else 0
    attributes = struct.pack("=QQQ", files, _NET_ALL if version >= 4 else 0, _SCOPE_ALL if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _checked(
        _libc.syscall(
            ctypes.c_long(SYS_LANDLOCK_CREATE_RULESET), attributes, ctypes.c_size_t(size), ctypes.c_uint(0)
        ),
        "landlock_create_ruleset",
    )
    try:
        rules = [(path, _READ) for path in readable] + [(path, files) for path in writable]
        rules += [(path, _FS_READ_FILE | _FS_WRITE_FILE) for path in devices]
        for path, rights in rules:
            _add_rule(ruleset, path, rights & files)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        _checked(
            _libc.syscall(ctypes.c_long(SYS_LANDLOCK_RESTRICT_SELF), ctypes.c_int(ruleset), ctypes.c_uint(0)),
            "landlock_restrict_self",
        )
    finally:
        os.close(ruleset)


def _add_rule(ruleset, path, rights):
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _OF_FILES
        attributes = struct.pack("=Qi", rights, fd)
        result = _libc.syscall(
            ctypes.c_long(SYS_LANDLOCK_ADD_RULE),
            ctypes.c_int(ruleset),
            ctypes.c_int(_RULE_PATH_BENEATH),
            attributes,
            ctypes.c_uint(0),
        )
        _checked(result, "landlock_add_rule for " + path)
    finally:
        os.close(fd)
