//! From lists and rules to one program for the kernel.
//!
//! Every judged program waits while the kernel checks and translates the filter and follows it once for each call that
//! there is. So the number of the call is looked for by halving. `seccompiler` makes the rules on arguments; its own
//! filters compare with one call after the other and know two answers each, and three of them behind one another took
//! over a millisecond to install, this takes 0.2.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{BackendError, BpfProgram, SeccompRule, sock_filter};

use super::{Files, Ipc, Rules, SeccompError, Signals, arguments, calls};

#[cfg(target_arch = "x86_64")]
const MACHINE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const MACHINE: u32 = 0xc000_00b7;

/// x32 shares the name of the machine with x86_64 and differs by this bit of the number. On aarch64 no call has it.
const X32_BIT: u32 = 0x4000_0000;

/// The most instructions that the kernel takes.
const MOST_INSTRUCTIONS: usize = 4096;

/// What the kernel answers to a call.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    /// Always the same, a value of `SECCOMP_RET`.
    Always(u32),
    /// This value of `SECCOMP_RET` where one of the rules holds; else the call is allowed.
    Where(Vec<SeccompRule>, u32),
}

const ALLOWED: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSED: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
/// Nothing is done, and 0 is the answer: no error.
const PRETENDED: u32 = libc::SECCOMP_RET_ERRNO;
const UNKNOWN: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
const DEADLY: u32 = libc::SECCOMP_RET_KILL_PROCESS;

/// See [`super::program`].
pub(super) fn compile(rules: Rules) -> Result<Vec<u8>, SeccompError> {
    let mut program = vec![
        load(std::mem::offset_of!(libc::seccomp_data, arch)),
        jump(libc::BPF_JEQ, MACHINE, 1, 0),
        end(DEADLY),
        load(std::mem::offset_of!(libc::seccomp_data, nr)),
        jump(libc::BPF_JGE, X32_BIT, 0, 1),
        end(DEADLY),
    ];
    program.extend(search(&runs(&answers(rules)?)));
    if program.len() > MOST_INSTRUCTIONS {
        return Err(BackendError::FilterTooLarge(program.len()).into());
    }
    Ok(program.iter().flat_map(bytes).collect())
}

fn answers(rules: Rules) -> Result<BTreeMap<c_long, Answer>, BackendError> {
    let Rules { signals, ipc, files } = rules;
    let mut answers = BTreeMap::new();
    let mut always = |lists: &[&[c_long]], answer: u32| {
        answers.extend(lists.iter().copied().flatten().map(|&call| (call, Answer::Always(answer))));
    };
    always(calls::ALLOWED, ALLOWED);
    always(calls::REFUSED, REFUSED);
    always(calls::DEADLY, DEADLY);
    always(&[calls::SIGNALS], if signals == Signals::Any { ALLOWED } else { REFUSED });
    always(&[calls::SESSIONS], if signals == Signals::Any { ALLOWED } else { PRETENDED });
    always(&[calls::NAMED_IPC], if ipc == Ipc::Own { ALLOWED } else { REFUSED });
    always(calls::ATTRIBUTES, if files == Files::Own { ALLOWED } else { REFUSED });
    // The rules on these follow where there are any.
    always(&[arguments::OF_OTHER_PROCESSES, arguments::OPENING], ALLOWED);
    answers.extend(
        arguments::refused(rules)?.into_iter().map(|(call, rules)| (call, Answer::Where(rules, REFUSED))),
    );
    answers
        .extend(arguments::deadly()?.into_iter().map(|(call, rules)| (call, Answer::Where(rules, DEADLY))));
    Ok(answers)
}

/// The first number of each run of calls with the same answer, and the answer. The first run begins with 0, the last
/// has no end.
fn runs(answers: &BTreeMap<c_long, Answer>) -> Vec<(u32, Answer)> {
    let after_all = answers.keys().last().map_or(0, |last| last + 1);
    let answer = |call| answers.get(&call).cloned().unwrap_or(Answer::Always(UNKNOWN));
    // Numbers of calls are small.
    let mut runs: Vec<_> = (0..=after_all).map(|call| (call as u32, answer(call))).collect();
    runs.dedup_by(|next, first| next.1 == first.1);
    runs
}

/// The instructions that find the run of the loaded number and answer.
fn search(runs: &[(u32, Answer)]) -> BpfProgram {
    let (low, high) = runs.split_at(runs.len() / 2);
    let Some((first, answer)) = high.first() else { return Vec::new() };
    if low.is_empty() {
        return give(answer);
    }
    let (low, high) = (search(low), search(high));
    // A conditional jump reaches 255 instructions, an unconditional one any of the kernel's 4096.
    let mut program = vec![jump(libc::BPF_JGE, *first, 0, 1), jump(libc::BPF_JA, low.len() as u32, 0, 0)];
    program.extend(low);
    program.extend(high);
    program
}

fn give(answer: &Answer) -> BpfProgram {
    match answer {
        Answer::Always(value) => vec![end(*value)],
        Answer::Where(rules, value) => {
            let mut program = Vec::new();
            for rule in rules {
                // A rule that does not hold leaves out the instruction after it.
                program.extend(BpfProgram::from(rule.clone()));
                program.push(end(*value));
            }
            program.push(end(ALLOWED));
            program
        }
    }
}

fn load(offset: usize) -> sock_filter {
    // An offset in a structure of 64 bytes.
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset as u32, 0, 0)
}

fn jump(condition: u32, operand: u32, then: u8, otherwise: u8) -> sock_filter {
    instruction(libc::BPF_JMP | condition | libc::BPF_K, operand, then, otherwise)
}

fn end(value: u32) -> sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, value, 0, 0)
}

fn instruction(code: u32, operand: u32, then: u8, otherwise: u8) -> sock_filter {
    // The codes are bits of the lowest byte.
    sock_filter { code: code as u16, jt: then, jf: otherwise, k: operand }
}

fn bytes(instruction: &sock_filter) -> [u8; 8] {
    let [code_0, code_1] = instruction.code.to_ne_bytes();
    let [k_0, k_1, k_2, k_3] = instruction.k.to_ne_bytes();
    [code_0, code_1, instruction.jt, instruction.jf, k_0, k_1, k_2, k_3]
}
