"""Make system calls as they are told on standard input and print those that ended otherwise than is wanted.

A line of input is a JSON list: number, arguments, wanted, what for people. Wanted is "killed" (by SIGSYS), the number
of an error, or null for any end but SIGSYS, EPERM and ENOSYS. Each call is made in a process of its own.
"""
import ctypes
import errno
import json
import os
import signal
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def ended(number, arguments):
    """How a process ends that makes this call: "killed" or a number of an error, 0 for none."""
    child = os.fork()
    if child == 0:
        arguments = (arguments + [0] * 6)[:6]
        result = LIBC.syscall(ctypes.c_long(number), *(ctypes.c_ulong(argument) for argument in arguments))
        os._exit(ctypes.get_errno() if result == -1 else 0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "killed" if os.WTERMSIG(status) == signal.SIGSYS else "signal %d" % os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def main():
    """Go through the lines."""
    count = 0
    for line in sys.stdin:
        number, arguments, wanted, what = json.loads(line)
        found = ended(number, arguments)
        good = found not in ("killed", errno.EPERM, errno.ENOSYS) if wanted is None else found == wanted
        if not good:
            print("%s (call %d %s): wanted %s, found %s" % (what, number, arguments, wanted, found))
        count += 1
    print("%d calls" % count)


main()
