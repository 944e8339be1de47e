"""What ordinary programs do: all of it must work behind the filter. An argument "alone" leaves out what needs
signals and what changes modes and times of files."""
import asyncio
import concurrent.futures
import multiprocessing
import os
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ALL = "alone" not in sys.argv


def square(number):
    """For the pools."""
    return number * number


def files(folder):
    """Write, read, rename, link, copy, list, lock and remove."""
    path = os.path.join(folder, "a")
    with open(path, "w+b") as file:
        file.write(os.urandom(5000))
        file.flush()
        os.fsync(file.fileno())
        file.truncate(100)
        os.lockf(file.fileno(), os.F_LOCK, 0)
    if ALL:
        os.chmod(path, 0o600)
        os.utime(path, (1, 2))
    os.symlink("a", os.path.join(folder, "link"))
    os.link(path, os.path.join(folder, "b"))
    os.mkfifo(os.path.join(folder, "pipe"))
    shutil.copyfile(path, os.path.join(folder, "c"))
    os.rename(path, os.path.join(folder, "d"))
    assert sorted(os.listdir(folder)) == ["b", "c", "d", "link", "pipe"]
    assert os.stat(os.path.join(folder, "c")).st_size == 100
    shutil.disk_usage(folder)
    memory = os.memfd_create("memory")
    os.write(memory, b"data")
    os.close(memory)


def processes():
    """Threads, children, pools and semaphores."""
    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(square(n))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [square(n) for n in range(8)]
    assert subprocess.run(["/bin/true"], check=True).returncode == 0
    assert subprocess.check_output("echo a | cat", shell=True) == b"a\n"
    for way in ("fork", "spawn"):
        pool = multiprocessing.get_context(way).Pool(2)
        assert pool.map(square, range(5)) == [0, 1, 4, 9, 16]
        pool.close()
        pool.join()
    with concurrent.futures.ThreadPoolExecutor() as threads:
        assert sum(threads.map(square, range(4))) == 14
    here, there = multiprocessing.Pipe()
    here.send({"a": 1})
    assert there.recv() == {"a": 1}
    assert os.sched_getaffinity(0) and os.cpu_count()


def waiting():
    """Clocks, timers, sockets between two ends, event loops."""
    time.sleep(0.001)
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    signal.pause()
    here, there = socket.socketpair()
    here.sendall(b"data")
    assert select.select([there], [], [], 1)[0] and there.recv(10) == b"data"
    here.settimeout(0.01)
    try:
        here.recv(1)
        raise AssertionError("nothing was sent")
    except socket.timeout:
        pass

    async def loop():
        child = await asyncio.create_subprocess_exec("/bin/echo", "a", stdout=subprocess.PIPE)
        output, _ = await child.communicate()
        await asyncio.sleep(0)
        return output

    assert asyncio.run(loop()) == b"a\n"


def limits():
    """Limits can be read and lowered."""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (200, 200)


def signals():
    """Signals to itself and to children."""
    got = []
    signal.signal(signal.SIGUSR1, lambda *_: got.append(1))
    os.kill(os.getpid(), signal.SIGUSR1)
    assert got == [1]
    try:
        subprocess.run(["/bin/sleep", "100"], timeout=0.05)
        raise AssertionError("it sleeps")
    except subprocess.TimeoutExpired:
        pass
    with multiprocessing.Pool(2) as pool:
        assert pool.map(square, [3]) == [9]
    subprocess.run(["/bin/true"], check=True, start_new_session=True)


def refusals():
    """What is refused is an error that a program can catch."""
    for attempt in (socket.socket, lambda: os.setuid(0), lambda: os.chroot("/"), lambda: socket.sethostname("a")):
        try:
            attempt()
            raise AssertionError("not refused")
        except PermissionError:
            pass


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        files(place)
    processes()
    waiting()
    if ALL:
        signals()
    refusals()
    limits()
    print("all is well")
