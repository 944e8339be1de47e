//! The filter against the kernel: ordinary work goes on, each list is answered as it says.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::{Files, Ipc, Rules, Signals, arguments, calls, program};

const OWN: Rules = Rules { signals: Signals::Any, ipc: Ipc::Own, files: Files::Own };
const SHARED: Rules = Rules { signals: Signals::None, ipc: Ipc::Shared, files: Files::Shared };

/// The command behind the filter.
fn filtered(rules: Rules, command: &str) -> Command {
    let filter = program(rules).unwrap();
    let mut command = Command::new(command);
    // SAFETY: the closure runs between fork and exec and makes two system calls; it allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(move || {
            let program = libc::sock_fprog {
                len: (filter.len() / size_of::<libc::sock_filter>()) as u16,
                filter: filter.as_ptr().cast_mut().cast(),
            };
            if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                || libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) != 0
            {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        });
    }
    command
}

/// Whether the program is there; says so if not.
fn is_there(test: &str, command: &str) -> bool {
    let there = Command::new(command).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        println!("SKIPPED: {test}: no {command} on the path");
    }
    there
}

fn python(rules: Rules, script: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = filtered(rules, "python3")
        .args(["-I", "-c", script])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Makes the calls (number, arguments, wanted, name; see `calls.py`) and says which ended otherwise.
fn make(rules: Rules, calls: &[Value]) {
    let input: String = calls.iter().map(|call| format!("{call}\n")).collect();
    let output = python(rules, include_str!("calls.py"), &[], &input);
    assert_eq!(
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        (format!("{} calls\n", calls.len()).into(), "".into()),
        "{rules:?}"
    );
}

fn each(lists: &[&[i64]], wanted: &Value, name: &str) -> Vec<Value> {
    lists.iter().copied().flatten().map(|call| json!([call, [], wanted, name])).collect()
}

#[test]
fn a_call_is_in_one_list() {
    let lists: Vec<(&str, Vec<i64>)> = vec![
        ("allowed", calls::ALLOWED.concat()),
        ("refused", calls::REFUSED.concat()),
        ("deadly", calls::DEADLY.concat()),
        ("signals", calls::SIGNALS.to_vec()),
        ("sessions", calls::SESSIONS.to_vec()),
        ("named ipc", calls::NAMED_IPC.to_vec()),
        ("attributes", calls::ATTRIBUTES.concat()),
        ("of other processes", arguments::OF_OTHER_PROCESSES.to_vec()),
        ("opening", arguments::OPENING.to_vec()),
        ("refused by argument", numbers(arguments::refused(OWN).unwrap())),
        ("deadly by argument", numbers(arguments::deadly().unwrap())),
    ];
    let mut seen = BTreeMap::new();
    for (list, calls) in lists {
        for call in calls {
            assert_eq!(seen.insert(call, list), None, "call {call} is in {list} too");
        }
    }
    assert!(seen.len() > 250, "{}", seen.len());
}

fn numbers<T>(calls: Vec<(i64, T)>) -> Vec<i64> {
    calls.into_iter().map(|(call, _)| call).collect()
}

#[test]
fn ordinary_programs_work() {
    if !is_there("ordinary_programs_work", "python3") {
        return;
    }
    for (rules, arguments) in [(OWN, &[][..]), (SHARED, &["alone"])] {
        let folder = tempfile::tempdir().unwrap();
        // Children of the pools import the program, so it is a file.
        let script = folder.path().join("ordinary.py");
        std::fs::write(&script, include_str!("ordinary.py")).unwrap();
        let output = filtered(rules, "python3").arg(&script).args(arguments).output().unwrap();
        assert_eq!(
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
            ("all is well\n".into(), "".into()),
            "{rules:?}"
        );
    }
}

#[test]
fn compilers_and_their_programs_work() {
    let languages = [
        (
            "g++",
            "a.cpp",
            "#include <iostream>\n#include <thread>\nint main() {\n    \
             std::thread([] { std::cout << \"hello\" << std::endl; }).join();\n}\n",
            &["-O2", "-pthread"][..],
        ),
        (
            "rustc",
            "a.rs",
            "fn main() { std::thread::spawn(|| println!(\"hello\")).join().unwrap(); }",
            &["-O"],
        ),
    ];
    for (compiler, source, text, options) in languages {
        if !is_there("compilers_and_their_programs_work", compiler) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(source), text).unwrap();
        let output = filtered(SHARED, compiler)
            .args(options)
            .args(["-o", "a", source])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
        // A linker that may not change modes leaves that to whoever runs the program.
        let program = folder.path().join("a");
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let output = filtered(SHARED, program.to_str().unwrap()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\n", "{compiler}");
    }
}

#[test]
fn each_list_is_answered_as_it_says() {
    if !is_there("each_list_is_answered_as_it_says", "python3") {
        return;
    }
    let no_such_call = json!(libc::ENOSYS);
    let unknown = [libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_memfd_secret, 1000, 4095];
    let mut made = each(calls::DEADLY, &json!("killed"), "deadly");
    made.extend(each(calls::REFUSED, &json!(libc::EPERM), "refused"));
    made.extend(each(&[&unknown], &no_such_call, "unknown"));
    make(OWN, &made);
    made.extend(each(&[calls::SIGNALS, calls::NAMED_IPC], &json!(libc::EPERM), "refused"));
    made.extend(each(calls::ATTRIBUTES, &json!(libc::EPERM), "refused"));
    made.extend(each(&[calls::SESSIONS], &json!(0), "pretended"));
    made.extend([
        // No path is at the address 0, which the kernel finds out when the filter has let it.
        json!([libc::SYS_openat, [0, 0, libc::O_TRUNC], libc::EPERM, "to cut without writing"]),
        json!([libc::SYS_openat, [0, 0, libc::O_TRUNC | libc::O_WRONLY], libc::EFAULT, "to write"]),
        json!([libc::SYS_openat, [0, 0, libc::O_RDONLY], libc::EFAULT, "to read"]),
        json!([libc::SYS_prctl, [libc::PR_SET_PDEATHSIG, 0], libc::EPERM, "to outlive its parent"]),
    ]);
    make(SHARED, &made);
}

#[test]
fn arguments_decide() {
    if !is_there("arguments_decide", "python3") {
        return;
    }
    let (fine, refused, killed) = (Value::Null, json!(libc::EPERM), json!("killed"));
    let high = 1_u64 << 32;
    let made = [
        // Descriptor 0 is a pipe.
        json!([libc::SYS_ioctl, [0, libc::FIONREAD], fine, "FIONREAD"]),
        json!([libc::SYS_ioctl, [0, libc::TCGETS], fine, "TCGETS"]),
        json!([libc::SYS_ioctl, [0, libc::TIOCSTI], refused, "TIOCSTI"]),
        json!([libc::SYS_ioctl, [0, libc::TIOCSTI | high], refused, "TIOCSTI and an upper half"]),
        json!([libc::SYS_ioctl, [0, libc::TIOCLINUX], refused, "TIOCLINUX"]),
        json!([libc::SYS_prctl, [libc::PR_GET_NO_NEW_PRIVS], fine, "PR_GET_NO_NEW_PRIVS"]),
        json!([libc::SYS_prctl, [libc::PR_SET_SECCOMP, 2], refused, "PR_SET_SECCOMP"]),
        json!([libc::SYS_prctl, [libc::PR_SET_DUMPABLE, 1], refused, "PR_SET_DUMPABLE"]),
        json!([libc::SYS_prctl, [libc::PR_SET_MM], refused, "PR_SET_MM"]),
        json!([libc::SYS_personality, [0xffff_ffff_u32], fine, "asking for the personality"]),
        json!([libc::SYS_personality, [libc::READ_IMPLIES_EXEC], refused, "READ_IMPLIES_EXEC"]),
        json!([libc::SYS_clone, [libc::CLONE_NEWUSER | libc::SIGCHLD], refused, "clone CLONE_NEWUSER"]),
        json!([libc::SYS_clone, [libc::CLONE_NEWNS as u64 | high], refused, "clone CLONE_NEWNS"]),
        json!([libc::SYS_clone, [libc::CLONE_PARENT | libc::SIGCHLD], refused, "clone CLONE_PARENT"]),
        json!([libc::SYS_unshare, [libc::CLONE_FILES], fine, "unshare CLONE_FILES"]),
        json!([libc::SYS_unshare, [libc::CLONE_NEWUSER], killed, "unshare CLONE_NEWUSER"]),
        json!([libc::SYS_unshare, [0x80], killed, "unshare CLONE_NEWTIME"]),
        json!([libc::SYS_socketpair, [libc::AF_UNIX, libc::SOCK_STREAM], fine, "a stream"]),
        json!([libc::SYS_socketpair, [libc::AF_UNIX, libc::SOCK_DGRAM], refused, "datagrams"]),
        json!([
            libc::SYS_socketpair,
            [libc::AF_UNIX, libc::SOCK_RAW | libc::SOCK_CLOEXEC],
            refused,
            "raw is datagrams"
        ]),
        json!([libc::SYS_socketpair, [libc::AF_TIPC, libc::SOCK_STREAM], refused, "AF_TIPC"]),
        json!([libc::SYS_mknodat, [0, 0, libc::S_IFCHR | 0o600, 0x103], refused, "a device"]),
        json!([libc::SYS_mknodat, [0, 0, libc::S_IFBLK | 0o600, 0x103], refused, "a device"]),
        json!([libc::SYS_mknodat, [0, 0, libc::S_IFIFO | 0o600, 0], fine, "a named pipe without a name"]),
    ];
    make(OWN, &made);
    make(SHARED, &made);
}

#[test]
fn other_processes_are_out_of_reach_where_they_are_seen() {
    if !is_there("other_processes_are_out_of_reach_where_they_are_seen", "python3") {
        return;
    }
    let own = std::process::id();
    let of_another = |wanted: &Value| {
        vec![
            json!([libc::SYS_kill, [own, 0], wanted, "kill"]),
            json!([libc::SYS_prlimit64, [own, libc::RLIMIT_CPU], wanted, "prlimit64"]),
            // No such request for this number of policy, or no such priority: nothing changes.
            json!([libc::SYS_sched_setscheduler, [own, 99], wanted, "sched_setscheduler"]),
            json!([libc::SYS_sched_setaffinity, [own, 0], wanted, "sched_setaffinity"]),
            json!([libc::SYS_setpriority, [99, own], wanted, "setpriority"]),
            json!([libc::SYS_ioprio_set, [99, own], wanted, "ioprio_set"]),
            json!([libc::SYS_fcntl, [0, libc::F_SETOWN, own], wanted, "F_SETOWN"]),
            json!([libc::SYS_fcntl, [0, 10, libc::SIGKILL], wanted, "F_SETSIG"]),
            json!([libc::SYS_shmget, [0, 0], wanted, "shmget"]),
        ]
    };
    make(OWN, &of_another(&Value::Null));
    make(SHARED, &of_another(&json!(libc::EPERM)));
    make(
        SHARED,
        &[
            json!([libc::SYS_prlimit64, [0, libc::RLIMIT_CPU], null, "own limits"]),
            json!([libc::SYS_setpriority, [0, 0, 5], null, "own priority"]),
            json!([libc::SYS_fcntl, [0, libc::F_GETFD], null, "F_GETFD"]),
        ],
    );
    let output = python(SHARED, "import os; os.abort()", &[], "");
    assert!(!output.status.success() && output.status.code().is_none(), "{output:?}");
}

/// A number of the x32 numbers, and a 32-bit call by the old gate, which is another machine to the kernel.
#[cfg(target_arch = "x86_64")]
#[test]
fn numbers_of_other_machines_are_deadly() {
    if !is_there("numbers_of_other_machines_are_deadly", "python3") {
        return;
    }
    let x32 = libc::SYS_getpid | 0x4000_0000;
    make(OWN, &[json!([x32, [], "killed", "x32 getpid"]), json!([-1, [], "killed", "number -1"])]);
    let script = "import ctypes, mmap\n\
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n\
        page.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))\n\
        getpid = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))\n\
        print('returned', getpid(), flush=True)\n";
    let output = python(OWN, script, &[], "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{output:?}");
    // Without 32-bit calls in the kernel the gate is a fault.
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert!([Some(libc::SIGSYS), Some(libc::SIGSEGV)].contains(&signal), "{output:?}");
}
