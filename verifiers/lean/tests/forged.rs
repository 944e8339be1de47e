//! Compiled modules of a real Lean, changed at random where their constants stand: none of them proves what is false.
//!
//! The Lean is the one of `POLESTAR_LEAN`, as scripts/bare_lean.sh makes it; without one the test is skipped.
//! `POLESTAR_FORGERIES` says how many are made, for longer runs.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use polestar_lean::claims::Claims;
use polestar_lean::judgement::{Goal, Proof, Refusal, judge};
use polestar_lean::kernel::{Budget, STACK_BYTES_PER_DEPTH};
use polestar_lean::library::Library;
use polestar_lean::olean::{Limits, Module};

const BUDGET: Budget = Budget::new(1_000_000, 1_000_000, 500);
const LIMITS: Limits = Limits { max_bytes: 1 << 24, max_objects: 1_000_000 };

/// A bit of everything, and a statement that is false.
const TEXT: &str = "
inductive No : Prop
inductive Yes : Prop | intro : Yes
inductive Same.{u} {α : Sort u} : α → α → Prop | refl (a : α) : Same a a
inductive Num | zero | succ (n : Num)
inductive Row.{u} (α : Type u) : Type u | nil | cons (a : α) (as : Row α)
inductive Tree | node (ts : Row Tree)
structure Two.{u, v} (α : Type u) (β : Type v) : Type (max u v) where
  fst : α
  snd : β
inductive Any.{u} {α : Sort u} (p : α → Prop) : Prop | intro (w : α) (h : p w) : Any p
def same.{u} {α : Sort u} (a : α) : α := a
def two : Num := Num.succ (Num.succ Num.zero)
def Ty : Type 1 := Type
theorem refl_two : Same two (same two) := Same.refl two
theorem eta (p : Two Num Num) : Same p (Two.mk p.fst p.snd) := Same.refl p
theorem yes : Yes := Yes.intro
theorem no (h : No) : No := h
theorem irrelevant (p : Prop) (a b : p) : Same a b := Same.refl a
theorem four : 2 + 2 = 4 := rfl
theorem all (n : Num) : Any (fun m => Same m (same n)) :=
  Num.rec ⟨Num.zero, Same.refl _⟩ (fun n _ => ⟨Num.succ n, Same.refl _⟩) n
theorem tree (t : Tree) : Same t (same t) := Same.refl t
def reach {a b c d e : Prop} (no : No) (_ : a) (_ : b) (_ : c) (_ : d) (_ : e) : No := no
axiom cheat : No
";
/// Theorems of the false statement, each near to another way to cheat.
const WAYS: [&str; 6] = [
    "theorem t : No := reach cheat",
    "unsafe def loop : No := loop\ntheorem t : No := reach cheat",
    "theorem t : No := reach (no cheat)",
    "theorem t : No := reach ((fun (p : Two (same Num) Num) => same (no cheat)) ⟨two, Num.zero⟩)",
    "theorem lie : Same Yes No := No.rec (fun _ => Same Yes No) cheat\ntheorem t : No := reach (Same.rec (motive := fun p _ => p) Yes.intro lie)",
    "theorem t : No := reach (No.rec (fun _ => No) (same (same cheat)))",
];

fn compile(lean: &Path, text: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("S.lean"), text).unwrap();
    let run =
        Command::new(lean).args(["-o", "S.olean", "S.lean"]).current_dir(folder.path()).output().unwrap();
    assert!(run.status.success(), "{}{}", text, String::from_utf8_lossy(&run.stdout));
    std::fs::read(folder.path().join("S.olean")).unwrap()
}

/// None where the bytes are not even a module.
fn judged(reference: &[u8], bytes: &[u8], library: &Library) -> Option<Result<Proof, Refusal>> {
    let module = Module::read(vec![bytes], LIMITS).ok()?;
    let reference = Module::read(vec![reference], LIMITS).unwrap();
    let goal = Goal { name: "t", reference: &Claims::of(&reference), axioms: &[], budget: BUDGET };
    Some(judge(&goal, &Claims::of(&module), library).unwrap())
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).map_or(0, |word| u64::from_le_bytes(word.try_into().unwrap()))
}

/// Where the words and the other bytes are of everything that the constants consist of.
fn places(bytes: &[u8]) -> (Vec<usize>, Vec<usize>) {
    const HEADER: usize = 80;
    let base = word(bytes, HEADER);
    let root = (word(bytes, HEADER + 8) - base) as usize;
    // The constants are the third field of the root.
    let mut open = vec![(word(bytes, root + 8 + 2 * 8) - base) as usize];
    let (mut seen, mut words, mut others) = (BTreeSet::new(), Vec::new(), Vec::new());
    while let Some(at) = open.pop() {
        if !seen.insert(at) {
            continue;
        }
        let (size, num_pointers, tag) = (
            u16::from_le_bytes([bytes[at + 4], bytes[at + 5]]) as usize,
            bytes[at + 6] as usize,
            bytes[at + 7],
        );
        let pointers = match tag {
            0..=244 => at + 8..at + 8 + 8 * num_pointers,
            246 => at + 24..at + 24 + 8 * word(bytes, at + 8) as usize,
            _ => continue,
        };
        others.push(at + 7);
        if tag <= 244 {
            others.extend(pointers.end..at + size.max(8 + 8 * num_pointers));
        }
        for place in pointers.step_by(8) {
            words.push(place);
            if word(bytes, place) & 1 == 0 {
                open.push((word(bytes, place) - base) as usize);
            }
        }
    }
    (words, others)
}

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

fn forge(dice: &mut Dice, bytes: &mut [u8], words: &[usize], others: &[usize]) {
    for _ in 0..=dice.roll(3) {
        let at = words[dice.roll(words.len())];
        let with = match dice.roll(8) {
            0..=4 => word(bytes, words[dice.roll(words.len())]),
            5 => ((dice.roll(5) as u64) << 1) | 1,
            _ => {
                let at = others[dice.roll(others.len())];
                bytes[at] = dice.roll(13) as u8;
                continue;
            }
        };
        bytes[at..at + 8].copy_from_slice(&with.to_le_bytes());
    }
}

#[test]
fn no_forged_module_proves_what_is_false() {
    let Some(lean) = std::env::var_os("POLESTAR_LEAN").map(PathBuf::from) else {
        println!("SKIPPED: no Lean; set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one");
        return;
    };
    let count = std::env::var("POLESTAR_FORGERIES").map_or(3_000, |count| count.parse().unwrap());
    let library = lean.parent().unwrap().join("../lib/lean");
    let library = Library::open(&[library], &["Init"]).unwrap();
    let reference = compile(&lean, &format!("{TEXT}theorem t : No := cheat\n"));
    let work = || {
        let (mut num_refused_by_kernel, mut num_unread) = (0, 0);
        for (way, seed) in WAYS.iter().zip(1_u64..) {
            let right = compile(&lean, &format!("{TEXT}{way} @all @eta @irrelevant @tree four\n"));
            let found = judged(&reference, &right, &library).unwrap();
            assert!(matches!(found, Err(Refusal::Axioms { .. })), "{way}: {found:?}");
            let (words, others) = places(&right);
            let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ (seed << 32));
            for number in 0..count / WAYS.len() {
                let mut forged = right.clone();
                forge(&mut dice, &mut forged, &words, &others);
                match judged(&reference, &forged, &library) {
                    Some(Ok(proof)) => panic!("{way}: forgery {number} counts as proved: {proof:?}"),
                    Some(Err(Refusal::Kernel { .. })) => num_refused_by_kernel += 1,
                    Some(Err(_)) => {}
                    None => num_unread += 1,
                }
            }
        }
        println!("{count} forgeries: {num_unread} no modules, {num_refused_by_kernel} refused by the kernel");
    };
    std::thread::scope(|scope| {
        let bytes = BUDGET.max_depth as usize * STACK_BYTES_PER_DEPTH + (8 << 20);
        std::thread::Builder::new().stack_size(bytes).spawn_scoped(scope, work).unwrap().join().unwrap();
    });
}

/// A statement with a `match` in it, after a lemma that has the same `match`, or one that looks like it.
#[test]
fn a_match_of_an_earlier_lemma_is_the_same_match() {
    let Some(lean) = std::env::var_os("POLESTAR_LEAN").map(PathBuf::from) else {
        println!("SKIPPED: no Lean; set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one");
        return;
    };
    let library = lean.parent().unwrap().join("../lib/lean");
    let library = Library::open(&[library], &["Init"]).unwrap();
    let statement = |name: &str, zero: &str, succ: &str| {
        format!(
            "theorem {name} (n : Nat) : (match n with | Nat.zero => {zero} | Nat.succ k => {succ}) = n := "
        )
    };
    let right = statement("t", "Nat.zero", "Nat.succ k");
    let reference = compile(&lean, &format!("{right}sorry\n"));
    let lemma = format!("{}by cases n <;> rfl\n", statement("lemma1", "Nat.zero", "Nat.succ k"));
    let found = judged(&reference, &compile(&lean, &format!("{lemma}{right}lemma1 n\n")), &library).unwrap();
    assert!(found.is_ok(), "{found:?}");
    let other =
        "theorem t (n : Nat) : (match n with | Nat.zero => n | Nat.succ k => n) = n := by cases n <;> rfl";
    let found = judged(&reference, &compile(&lean, &format!("{lemma}{other}\n")), &library).unwrap();
    assert!(matches!(found, Err(Refusal::OtherStatement { .. })), "{found:?}");
    // A function that looks the same from outside, with another value.
    let pretended = "def pick (n : Nat) : Prop := True\ntheorem t (n : Nat) : pick n := True.intro";
    let pinned = "def hold (n : Nat) : Prop := False\ntheorem t (n : Nat) : hold n := sorry";
    let found = judged(&compile(&lean, pinned), &compile(&lean, pretended), &library).unwrap();
    assert!(matches!(found, Err(Refusal::OtherStatement { .. })), "{found:?}");
}
