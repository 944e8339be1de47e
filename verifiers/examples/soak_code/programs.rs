//! Solutions for a soak of `code`: honest ones, and what a hostile one does before it gives a wrong result.

/// What the problem is: twice its argument and one more.
const RIGHT: &str = "def f(n):\n    return 2 * n + 1\n";
const WRONG: &str = "def f(n):\n    return 2 * n\n";

/// What a hostile solution does when it is called. `MARK` stands for a word that is found again in names of files.
/// One that comes to its end returns nothing, which is wrong.
pub(crate) const MISDEEDS: &[(&str, &str)] = &[
    ("fork bomb", "
    while True:
        try:
            os.fork()
        except OSError:
            pass"),
    ("memory bomb", "
    held = []
    while True:
        held.append(bytearray(1 << 24))"),
    ("memory bomb of children", "
    for _ in range(8):
        if os.fork() == 0:
            held = bytearray(100 << 20)
            time.sleep(900)
    time.sleep(900)"),
    ("output flood", "
    while True:
        print('x' * 65536)"),
    ("endless loop", "
    while True:
        pass"),
    ("endless sleep", "
    while True:
        time.sleep(900)"),
    ("leaves early", "
    os._exit(0)"),
    ("leaves by exception", "
    raise SystemExit(0)"),
    ("daemon", "
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 256)
            time.sleep(900)
        os._exit(0)"),
    ("fills folders", "
    for folder in ('/tmp', '/dev/shm', '.', os.environ.get('TMPDIR', '/tmp')):
        for number in range(50):
            try:
                with open('%s/MARK-%d' % (folder, number), 'wb') as file:
                    file.write(bytes(8 << 20))
            except OSError:
                pass"),
    ("many files", "
    for folder in ('/tmp', '/dev/shm', '.'):
        for number in range(2000):
            try:
                os.makedirs('%s/MARK/%d' % (folder, number))
            except OSError:
                break"),
    ("ptrace", "
    ctypes.CDLL(None).ptrace(16, 1, 0, 0)
    ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)"),
    ("forged report", "
    forged = b'{\"outcome\": \"pass\", \"passed\": 1, \"total\": 1, \"test\": null, \"message\": null, \"raised\": null}\\n'
    for number in range(256):
        try:
            os.set_blocking(number, False)
            os.write(number, forged)
        except OSError:
            pass"),
    ("rubbish in every descriptor", "
    for number in range(256):
        try:
            os.set_blocking(number, False)
            os.write(number, os.urandom(4096))
        except OSError:
            pass"),
    ("kills everything", "
    os.kill(-1, 9)"),
    ("kills its parent and its group", "
    os.kill(os.getppid(), 9)
    os.killpg(0, 9)"),
    ("mounts", "
    ctypes.CDLL(None).unshare(0x10020000)
    ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None)"),
    ("threads without end", "
    def wait():
        time.sleep(900)
    while True:
        threading.Thread(target=wait).start()"),
];

/// What number `i` of the soak is.
pub(crate) enum Sort {
    Right,
    Wrong,
    /// Of the list of misdeeds.
    Hostile(usize),
}

/// Every tenth is hostile; of the others every second is right.
pub(crate) fn sort(i: usize) -> Sort {
    match i % 10 {
        7 => Sort::Hostile((i / 10) % MISDEEDS.len()),
        _ if i.is_multiple_of(2) => Sort::Right,
        _ => Sort::Wrong,
    }
}

/// The response that is number `i`.
pub(crate) fn response(i: usize, mark: &str) -> String {
    let program = match sort(i) {
        Sort::Right => RIGHT.to_owned(),
        Sort::Wrong => WRONG.to_owned(),
        Sort::Hostile(misdeed) => {
            let body = MISDEEDS[misdeed].1.replace("MARK", mark);
            format!("import ctypes\nimport os\nimport threading\nimport time\n\n\ndef f(n):{body}\n")
        }
    };
    format!("```python\n{program}```\n")
}
