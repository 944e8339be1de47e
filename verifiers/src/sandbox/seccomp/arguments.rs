//! The system calls whose arguments decide: when each is refused, and when it ends the program.
//!
//! Only numbers can be looked at: what a pointer points to may change after the look. All these arguments are 32 bits
//! to the kernel, so the upper halves are left aside.

use libc::*;
use seccompiler::{
    BackendError, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCondition, SeccompRule as Rule,
};

use super::{Files, Rules, Signals};

type Calls = Vec<(c_long, Vec<Rule>)>;

/// Requests of `ioctl` that only ask, or set what belongs to one descriptor. A terminal cannot be typed into.
const IOCTLS: &[u64] = &[
    TCGETS,
    TCGETS2,
    TIOCGWINSZ,
    TIOCGPGRP,
    FIONREAD,
    FIONBIO,
    FIOCLEX,
    FIONCLEX,
    FICLONE,
    FICLONERANGE,
    FS_IOC_GETFLAGS,
];

// The same for both machines; the library's constants have a type that differs between C libraries.
const TCGETS: u64 = 0x5401;
const TCGETS2: u64 = 0x802c_542a;
const TIOCGPGRP: u64 = 0x540f;
const TIOCGWINSZ: u64 = 0x5413;
const FIONREAD: u64 = 0x541b;
const FIONBIO: u64 = 0x5421;
const FIONCLEX: u64 = 0x5450;
const FIOCLEX: u64 = 0x5451;
const FICLONE: u64 = 0x4004_9409;
const FICLONERANGE: u64 = 0x4020_940d;
const FS_IOC_GETFLAGS: u64 = 0x8008_6601;

/// Options of `prctl` that ask, or that name and arrange the program itself.
const PRCTLS: &[c_int] = &[
    PR_SET_NAME,
    PR_GET_NAME,
    PR_SET_PDEATHSIG,
    PR_GET_PDEATHSIG,
    PR_GET_DUMPABLE,
    PR_GET_KEEPCAPS,
    PR_GET_SECCOMP,
    PR_GET_SECUREBITS,
    PR_CAPBSET_READ,
    PR_SET_TIMERSLACK,
    PR_GET_TIMERSLACK,
    PR_GET_CHILD_SUBREAPER,
    PR_SET_NO_NEW_PRIVS,
    PR_GET_NO_NEW_PRIVS,
    PR_GET_TID_ADDRESS,
    PR_SET_THP_DISABLE,
    PR_GET_THP_DISABLE,
    PR_SVE_GET_VL,
    PR_GET_TAGGED_ADDR_CTRL,
    PR_SET_VMA,
    PR_GET_AUXV,
];
const PR_SVE_GET_VL: c_int = 51;
const PR_GET_TAGGED_ADDR_CTRL: c_int = 56;
const PR_GET_AUXV: c_int = 0x4155_5856;

/// Flags of `clone` and `unshare` that make a namespace.
const NAMESPACES: &[c_int] =
    &[CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET];
/// The namespace of clocks. For `clone` these bits are the signal at the end, so it is a flag of `unshare` only.
const CLONE_NEWTIME: c_int = 0x80;

/// `personality` may ask, be reset, and switch address randomisation off (which sanitizers of compilers want).
const PERSONALITIES: &[u64] = &[0, ADDR_NO_RANDOMIZE as u64, 0xffff_ffff];

/// The calls with arguments that are refused with EPERM.
pub(super) fn refused(rules: Rules) -> Result<Calls, BackendError> {
    // The fork server has each box end with it, which a box that sees others' processes may not undo.
    let is_own = |option: &&c_int| rules.signals == Signals::Any || **option != PR_SET_PDEATHSIG;
    let prctls: Vec<_> = PRCTLS.iter().filter(is_own).map(|&option| bits(option)).collect();
    let mut calls = vec![
        (SYS_ioctl, vec![none_of(1, IOCTLS)?]),
        (SYS_prctl, vec![none_of(0, &prctls)?]),
        (SYS_personality, vec![none_of(0, PERSONALITIES)?]),
        // With CLONE_PARENT a child would be that of who started the program.
        (SYS_clone, flags(NAMESPACES.iter().chain(&[CLONE_PARENT]))?),
        (SYS_socketpair, socketpair()?),
        (SYS_mknodat, devices(2)?),
    ];
    #[cfg(target_arch = "x86_64")]
    calls.push((SYS_mknod, devices(1)?));
    if rules.signals == Signals::None {
        calls.extend(other_processes()?);
    }
    if rules.files == Files::Shared {
        calls.push((SYS_openat, vec![cutting(2)?]));
        #[cfg(target_arch = "x86_64")]
        calls.push((SYS_open, vec![cutting(1)?]));
    }
    Ok(calls)
}

/// The calls with arguments that end the program.
pub(super) fn deadly() -> Result<Calls, BackendError> {
    Ok(vec![(SYS_unshare, flags(NAMESPACES.iter().chain(&[CLONE_NEWTIME]))?)])
}

/// The calls that [`other_processes`] has rules for, allowed where there are no others.
pub(super) const OF_OTHER_PROCESSES: &[c_long] = &[
    SYS_fcntl,
    SYS_prlimit64,
    SYS_sched_setaffinity,
    SYS_sched_setattr,
    SYS_sched_setparam,
    SYS_sched_setscheduler,
    SYS_setpriority,
    SYS_ioprio_set,
];

/// The calls that [`cutting`] is for, allowed where there are no rules.
pub(super) const OPENING: &[c_long] = &[
    SYS_openat,
    #[cfg(target_arch = "x86_64")]
    SYS_open,
];

/// Opening a file to read it, and cutting it to nothing by that: Landlock takes it for reading before its version 3.
fn cutting(flags: u8) -> Result<Rule, BackendError> {
    rule(flags, SeccompCmpOp::MaskedEq(bits(O_TRUNC | O_ACCMODE)), &[bits(O_TRUNC | O_RDONLY)])
}

/// What else reaches processes of the same user, where the program sees some: a limit on another's time or files ends
/// it as surely as a signal, and an owner of a descriptor gets the signal that the descriptor is set to send.
fn other_processes() -> Result<Calls, BackendError> {
    const IOPRIO_WHO_PROCESS: u64 = 1;
    const F_SETOWN_EX: u64 = 15;
    const F_SETSIG: u64 = 10;
    Ok(vec![
        (SYS_fcntl, vec![equal(1, bits(F_SETOWN))?, equal(1, F_SETOWN_EX)?, equal(1, F_SETSIG)?]),
        (SYS_prlimit64, vec![none_of(0, &[0])?]),
        (SYS_sched_setaffinity, vec![none_of(0, &[0])?]),
        (SYS_sched_setattr, vec![none_of(0, &[0])?]),
        (SYS_sched_setparam, vec![none_of(0, &[0])?]),
        (SYS_sched_setscheduler, vec![none_of(0, &[0])?]),
        (SYS_setpriority, vec![none_of(0, &[u64::from(PRIO_PROCESS)])?, none_of(1, &[0])?]),
        (SYS_ioprio_set, vec![none_of(0, &[IOPRIO_WHO_PROCESS])?, none_of(1, &[0])?]),
    ])
}

/// Only pairs whose ends are tied for good: a datagram socket could be sent to any name, and a raw one is the same.
fn socketpair() -> Result<Vec<Rule>, BackendError> {
    const KIND: u64 = 0xf;
    Ok(vec![
        none_of(0, &[bits(AF_UNIX)])?,
        rule(1, SeccompCmpOp::MaskedEq(KIND), &[bits(SOCK_DGRAM)])?,
        rule(1, SeccompCmpOp::MaskedEq(KIND), &[bits(SOCK_RAW)])?,
    ])
}

/// Device files. A named pipe is made by the same call.
fn devices(mode: u8) -> Result<Vec<Rule>, BackendError> {
    let kind = SeccompCmpOp::MaskedEq(u64::from(S_IFMT));
    Ok(vec![rule(mode, kind.clone(), &[u64::from(S_IFCHR)])?, rule(mode, kind, &[u64::from(S_IFBLK)])?])
}

/// One rule for each flag of the first argument.
fn flags<'a>(flags: impl Iterator<Item = &'a c_int>) -> Result<Vec<Rule>, BackendError> {
    flags.map(|&flag| rule(0, SeccompCmpOp::MaskedEq(bits(flag)), &[bits(flag)])).collect()
}

fn none_of(argument: u8, values: &[u64]) -> Result<Rule, BackendError> {
    rule(argument, SeccompCmpOp::Ne, values)
}

fn equal(argument: u8, value: u64) -> Result<Rule, BackendError> {
    rule(argument, SeccompCmpOp::Eq, &[value])
}

/// The argument compares so with every value.
fn rule(argument: u8, compare: SeccompCmpOp, values: &[u64]) -> Result<Rule, BackendError> {
    let condition = |value: &u64| SeccompCondition::new(argument, Dword, compare.clone(), *value);
    Rule::new(values.iter().map(condition).collect::<Result<_, _>>()?)
}

/// The 32 bits that the kernel is given.
fn bits(value: c_int) -> u64 {
    u64::from(value as u32)
}
