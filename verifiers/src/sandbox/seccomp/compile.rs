//! From lists and rules to one program for the kernel.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch, sock_filter,
};

use super::{Ipc, Rules, SeccompError, Signals, arguments, calls};

#[cfg(target_arch = "x86_64")]
const MACHINE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: TargetArch = TargetArch::aarch64;

/// The most instructions that the kernel takes.
const MOST_INSTRUCTIONS: usize = 4096;

type Chains = BTreeMap<c_long, Vec<SeccompRule>>;

/// The calls with the rules of which one must hold; none means always.
struct Lists {
    deadly: Chains,
    refused: Chains,
    /// All that are not answered with "no such call".
    known: Chains,
}

impl Lists {
    fn new(rules: Rules) -> Result<Self, BackendError> {
        let mut deadly = always(calls::DEADLY);
        deadly.extend(arguments::deadly()?);
        let mut refused = always(calls::REFUSED);
        refused.extend(arguments::refused(rules.signals)?);
        let mut known = always(calls::ALLOWED);
        known.extend(always(&[arguments::OF_OTHER_PROCESSES]));
        match rules.signals {
            Signals::Any => known.extend(always(&[calls::SIGNALS])),
            Signals::None => refused.extend(always(&[calls::SIGNALS])),
        }
        match rules.ipc {
            Ipc::Own => known.extend(always(&[calls::NAMED_IPC])),
            Ipc::Shared => refused.extend(always(&[calls::NAMED_IPC])),
        }
        known.extend(deadly.keys().chain(refused.keys()).map(|&call| (call, Vec::new())));
        Ok(Self { deadly, refused, known })
    }
}

fn always(lists: &[&[c_long]]) -> Chains {
    lists.iter().copied().flatten().map(|&call| (call, Vec::new())).collect()
}

/// See [`super::program`].
pub(super) fn compile(rules: Rules) -> Result<Vec<u8>, SeccompError> {
    let lists = Lists::new(rules)?;
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    let instructions = one_after_the_other(vec![
        other_numbers(),
        filter(lists.deadly, SeccompAction::Allow, SeccompAction::KillProcess)?,
        filter(lists.refused, SeccompAction::Allow, refused)?,
        filter(lists.known, unknown, SeccompAction::Allow)?,
    ]);
    if instructions.len() > MOST_INSTRUCTIONS {
        return Err(BackendError::FilterTooLarge(instructions.len()).into());
    }
    Ok(instructions.iter().flat_map(bytes).collect())
}

fn filter(
    chains: Chains,
    otherwise: SeccompAction,
    matching: SeccompAction,
) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(chains, otherwise, matching, MACHINE)?.try_into()
}

/// x32 shares the name of the machine with x86_64 and differs by a bit of the number, which `seccompiler` knows
/// nothing of. On aarch64 no call has such a number.
fn other_numbers() -> BpfProgram {
    const X32_BIT: u32 = 0x4000_0000;
    let at_number = std::mem::offset_of!(libc::seccomp_data, nr) as u32;
    vec![
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, at_number),
        instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, X32_BIT),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
    ]
}

fn instruction(code: u32, jump_true: u8, jump_false: u8, operand: u32) -> sock_filter {
    // The codes are bits of the lowest byte.
    sock_filter { code: code as u16, jt: jump_true, jf: jump_false, k: operand }
}

/// Puts programs behind one another: where one would allow a call, the next is asked. Each loads what it looks at
/// itself, so a jump to its start is all that is needed.
fn one_after_the_other(programs: Vec<BpfProgram>) -> BpfProgram {
    let allow = instruction(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW);
    let last = programs.len().saturating_sub(1);
    let mut joined = Vec::new();
    for (index, mut program) in programs.into_iter().enumerate() {
        let length = program.len();
        if index < last {
            for (at, found) in program.iter_mut().enumerate().filter(|(_, found)| **found == allow) {
                // How many instructions to leave out. They are fewer than the kernel's limit.
                *found = instruction(libc::BPF_JMP | libc::BPF_JA, 0, 0, (length - at - 1) as u32);
            }
        }
        joined.extend(program);
    }
    joined
}

fn bytes(instruction: &sock_filter) -> [u8; 8] {
    let [code_0, code_1] = instruction.code.to_ne_bytes();
    let [k_0, k_1, k_2, k_3] = instruction.k.to_ne_bytes();
    [code_0, code_1, instruction.jt, instruction.jf, k_0, k_1, k_2, k_3]
}
