//! Whether a compiled module proves a statement.
//!
//! The statement is pinned by a *reference* module: what Lean compiled from trusted text alone, with the proof left open.
//! A *submission* proves it if all of these hold:
//!
//! 1. It has a constant of the full name, which is a theorem.
//! 2. Its type is the reference's, term by term: the names and the order of universe parameters may differ, nothing else.
//! 3. Every constant of the submission that the type depends on is the reference's, so that no word of the statement
//!    means something else.
//! 4. The kernel of this crate accepts the theorem and whatever its proof reaches in the submission ([`replay`]).
//! 5. The axioms that it rests on, through the library too, are allowed. One that the submission declares itself counts
//!    only if the reference has the very same.
//!
//! What the submission's module says beside that (its messages, options, extensions, other constants) is not looked at.

mod axioms;
mod depends;

use std::sync::Arc;

use rustc_hash::FxHashSet;
use thiserror::Error;

use crate::constant::{Constant, ConstantKind, Hints};
use crate::kernel::{
    Budget, Environment, Exhausted, KernelError, ReadError, Trusted, instantiate_level_params,
};
use crate::library::Library;
use crate::replay::{Claimed, of_texts, replay};
use crate::statement::{self, Renamed, Unknown};
use crate::terms::{NameId, Terms};
use depends::{depends_on, used_constants, user_of_sorry};

/// The axiom that an open proof rests on.
const SORRY: &str = "sorryAx";
/// Names that an error shows.
const MOST_SHOWN: usize = 10;

/// The imported modules, which are believed.
pub trait Imports: Trusted {
    /// What a constant of the imported modules rests on.
    ///
    /// # Errors
    /// If a module cannot be read.
    fn grounds(&self, terms: &Terms, name: NameId) -> Result<Grounds, ReadError>;
}

/// What a constant rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// Names of axioms, in order.
    pub axioms: Arc<[String]>,
    /// Names of constants whose proof or value is not installed, so that it cannot be seen what they rest on.
    pub unseen: Vec<String>,
}

impl Imports for Library {
    fn grounds(&self, terms: &Terms, name: NameId) -> Result<Grounds, ReadError> {
        match self.axioms(terms, name).map_err(|error| ReadError { message: error.to_string() })? {
            Some(found) => {
                let unseen = found.hidden.iter().chain(found.missing.iter()).cloned().collect();
                Ok(Grounds { axioms: found.axioms, unseen })
            }
            None => Ok(Grounds::default()),
        }
    }
}

/// What has to be proved, and on what it may rest.
pub struct Goal<'a> {
    /// Full name of the theorem.
    pub name: &'a str,
    /// What Lean compiled from the trusted text.
    pub reference: &'a dyn Claimed,
    /// Names of the axioms that a proof may rest on.
    pub axioms: &'a [String],
    /// How much work the kernel may do.
    pub budget: Budget,
}

/// A proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Names of the axioms that it rests on, in order.
    pub axioms: Vec<String>,
    /// Constants of the submission that the kernel checked.
    pub num_checked: usize,
    /// Steps that the kernel took.
    pub steps: u64,
}

/// Why a submission proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no constant of the name.
    #[error("the compiled file has no theorem `{name}`")]
    Missing {
        /// The name that was looked for.
        name: String,
    },
    /// The constant is something else.
    #[error("`{name}` is no theorem, it is of the kind {kind}")]
    NoTheorem {
        /// The theorem's name.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// The theorem states something else.
    #[error("`{name}` states something else: {found} instead of {expected}")]
    OtherStatement {
        /// The theorem's name.
        name: String,
        /// The type that it should have.
        expected: String,
        /// The type that it has.
        found: String,
    },
    /// A constant that the statement depends on is not what it was.
    #[error("`{name}`, which the statement depends on, is not what it was in the statement's own file")]
    OtherDefinition {
        /// Its name.
        name: String,
    },
    /// The proof is left open.
    #[error("the proof is left open: it rests on `sorry`{through}")]
    Sorry {
        /// Through what, if not in the submission itself.
        through: String,
    },
    /// The proof rests on axioms that are not allowed.
    #[error("the proof rests on axioms that are not allowed: {}", names.join(", "))]
    Axioms {
        /// Their names.
        names: Vec<String>,
    },
    /// The kernel refuses a constant.
    #[error("the kernel refuses `{constant}`: {problem}")]
    Kernel {
        /// Its name.
        constant: String,
        /// What was expected and found.
        problem: String,
    },
    /// The compiled file is damaged or forged.
    #[error("the compiled file cannot be read: {problem}")]
    Unreadable {
        /// Where, and what was expected and found.
        problem: String,
    },
    /// The kernel could not finish.
    #[error("it could not be checked whether the proof holds: `{constant}`: {what}")]
    Unproven {
        /// The constant that was being checked.
        constant: String,
        /// What ran out.
        what: Exhausted,
    },
}

/// Why there is no judgement: nobody's fault but that of the reference, the library or the time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JudgeError {
    /// A module of the library cannot be read.
    #[error(transparent)]
    Library(#[from] ReadError),
    /// The reference is not one.
    #[error("the statement's own file is no reference: {0}")]
    Reference(String),
    /// The budget's deadline passed.
    #[error("the kernel was not done with `{constant}` when the time for the whole was over")]
    Overdue {
        /// The constant that was being checked.
        constant: String,
    },
    /// What the proof rests on cannot be seen.
    #[error(
        "it cannot be seen which axioms the proof rests on, because the proofs of these are not installed: {}; install \
         the library with its private parts (files that end in .olean.private)",
        names.join(", ")
    )]
    Unseen {
        /// Constants of the library.
        names: Vec<String>,
    },
}

enum Stop {
    Refused(Refusal),
    Error(JudgeError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<JudgeError> for Stop {
    fn from(error: JudgeError) -> Self {
        Self::Error(error)
    }
}

/// Judges a submission. Recurses as deeply as the goal's budget allows: see [`crate::kernel`] on the stack.
///
/// # Errors
/// The reference or the library cannot be used.
pub fn judge(
    goal: &Goal<'_>,
    submission: &dyn Claimed,
    imports: &dyn Imports,
) -> Result<Result<Proof, Refusal>, JudgeError> {
    match prove(goal, submission, imports) {
        Ok(proof) => Ok(Ok(proof)),
        Err(Stop::Refused(refusal)) => Ok(Err(refusal)),
        Err(Stop::Error(error)) => Err(error),
    }
}

/// Whether a module can be the reference of a name: it has a theorem of it, which states something that is whole.
///
/// # Errors
/// Says what it lacks.
pub fn check_reference(name: &str, reference: &dyn Claimed) -> Result<(), String> {
    let mut terms = Terms::new();
    let target = terms.read_name(name).ok_or_else(|| format!("{name:?} is no name of Lean's"))?;
    let constant = reference.constant(&mut terms, target).map_err(|error| error.to_string())?;
    let theorem = match constant {
        None => {
            return Err(format!(
                "it compiles, but to no constant of the name `{name}`; the full name of a theorem begins with the \
                 namespaces that it stands in"
            ));
        }
        Some(theorem) if matches!(theorem.kind, ConstantKind::Theorem { .. }) => theorem,
        Some(other) => {
            return Err(format!("`{name}` is no theorem, it is of the kind {}", other.kind_name()));
        }
    };
    let used = used_constants(&terms, theorem.ty, &[], &mut FxHashSet::default());
    let sorry = terms.str_name(NameId::ANONYMOUS, SORRY);
    let user = match used.contains(&sorry) {
        true => Some(target),
        false => user_of_sorry(&mut terms, reference, used).map_err(|error| error.to_string())?,
    };
    match user {
        Some(user) => Err(format!(
            "`{}` has a `sorry` that is no proof of it, so that nothing can prove `{name}`; write out what is missing",
            terms.show_name(user)
        )),
        None => Ok(()),
    }
}

fn prove(goal: &Goal<'_>, submission: &dyn Claimed, imports: &dyn Imports) -> Result<Proof, Stop> {
    let mut env = Environment::new(Terms::new(), imports, goal.budget);
    let target = env
        .terms
        .read_name(goal.name)
        .ok_or_else(|| JudgeError::Reference(format!("{:?} is no name", goal.name)))?;
    let pinned = pinned(goal, &mut env, target)?;
    let theorem = claimed(submission, &mut env.terms, target)?
        .ok_or_else(|| Refusal::Missing { name: goal.name.to_owned() })?;
    if !matches!(theorem.kind, ConstantKind::Theorem { .. }) {
        return Err(Refusal::NoTheorem { name: goal.name.to_owned(), kind: theorem.kind_name() }.into());
    }
    let renamed = compare_types(goal, &mut env, &pinned, &theorem, submission)?;
    compare_definitions(goal, &mut env, &pinned, submission, &renamed)?;
    refuse_sorry(goal, &mut env, submission, target)?;
    let replayed = match replay(&mut env, submission, target) {
        Ok(replayed) => replayed,
        Err(error) => {
            let stop = stopped(error);
            return Err(axioms::or_forbidden(goal, &mut env, submission, imports, target, stop));
        }
    };
    let axioms =
        axioms::allowed(goal, &mut env, submission, imports, &replayed.axioms, &replayed.reached_trusted)?;
    let steps = goal.budget.steps - env.budget().steps;
    Ok(Proof { axioms, num_checked: replayed.num_checked, steps })
}

/// The reference's theorem.
fn pinned(goal: &Goal<'_>, env: &mut Environment<'_>, target: NameId) -> Result<Constant, JudgeError> {
    let refuse = |problem: String| JudgeError::Reference(problem);
    let constant =
        goal.reference.constant(&mut env.terms, target).map_err(|error| refuse(error.to_string()))?;
    constant.ok_or_else(|| refuse(format!("it has no theorem `{}`", goal.name)))
}

/// A constant of the submission.
fn claimed(submission: &dyn Claimed, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, Refusal> {
    submission.constant(terms, name).map_err(|error| Refusal::Unreadable { problem: error.to_string() })
}

/// Whether the types are the same, up to the names of universe parameters and of definitions that Lean makes by itself:
/// which of those stand for which.
fn compare_types(
    goal: &Goal<'_>,
    env: &mut Environment<'_>,
    pinned: &Constant,
    theorem: &Constant,
    submission: &dyn Claimed,
) -> Result<Renamed, Stop> {
    let mut found = theorem.ty;
    let is_same = pinned.level_params.len() == theorem.level_params.len();
    if is_same && pinned.level_params != theorem.level_params {
        let levels: Vec<_> = pinned.level_params.iter().map(|name| env.terms.param(*name)).collect();
        let (terms, meter) = (&mut env.terms, &mut env.meter);
        found = instantiate_level_params(terms, meter, theorem.ty, &theorem.level_params, &levels)
            .map_err(|what| exhausted(goal.name.to_owned(), what))?;
    }
    if is_same {
        let types = (pinned.ty, found);
        match statement::renamed(env, pinned.name, goal.reference, submission, types) {
            Ok(Some(renamed)) => return Ok(renamed),
            Ok(None) => {}
            Err(Unknown::Kernel(error)) => return Err(stopped(error)),
            Err(Unknown::Submission(error)) => {
                return Err(Refusal::Unreadable { problem: error.to_string() }.into());
            }
        }
    }
    Err(Refusal::OtherStatement {
        name: goal.name.to_owned(),
        expected: env.terms.show(pinned.ty),
        found: env.terms.show(found),
    }
    .into())
}

/// Whether everything that the statement depends on in its own file is the same in the submission.
fn compare_definitions(
    goal: &Goal<'_>,
    env: &mut Environment<'_>,
    pinned: &Constant,
    submission: &dyn Claimed,
    renamed: &Renamed,
) -> Result<(), Stop> {
    let of_texts = of_texts(&mut env.terms);
    let mut visited = FxHashSet::default();
    let mut waiting = used_constants(&env.terms, pinned.ty, &of_texts, &mut visited);
    let mut seen: FxHashSet<NameId> = waiting.iter().copied().collect();
    while let Some(name) = waiting.pop() {
        let library = |error| Stop::Error(JudgeError::Library(error));
        if env.is_trusted(name).map_err(|error| match error {
            KernelError::Unreadable(error) => library(error),
            other => JudgeError::Reference(other.to_string()).into(),
        })? {
            continue;
        }
        let reference = |problem: String| Stop::Error(JudgeError::Reference(problem));
        let expected =
            goal.reference.constant(&mut env.terms, name).map_err(|error| reference(error.to_string()))?;
        let found = claimed(submission, &mut env.terms, name)?;
        if expected.is_none() && !of_texts.contains(&name) {
            return Err(reference(format!("it lacks `{}`", env.terms.show_name(name))));
        }
        // What another definition stands for was compared with that, unless the submission has both.
        let has_stand_in = found.is_none() && renamed.contains_key(&name);
        if !has_stand_in && found.map(without_hints) != expected.clone().map(without_hints) {
            return Err(Refusal::OtherDefinition { name: env.terms.show_name(name) }.into());
        }
        let Some(expected) = expected else { continue };
        for used in depends_on(&env.terms, &expected, &of_texts, &mut visited) {
            if seen.insert(used) {
                waiting.push(used);
            }
        }
    }
    Ok(())
}

/// A constant up to what only speed depends on.
fn without_hints(mut constant: Constant) -> Constant {
    if let ConstantKind::Definition { hints, .. } = &mut constant.kind {
        *hints = Hints::Opaque;
    }
    constant
}

/// Refuses a proof that mentions `sorryAx`, before the kernel works on it: most proofs that are left open are found so.
/// What is not found here is found among the axioms.
fn refuse_sorry(
    goal: &Goal<'_>,
    env: &mut Environment<'_>,
    submission: &dyn Claimed,
    target: NameId,
) -> Result<(), Stop> {
    if goal.axioms.iter().any(|axiom| axiom == SORRY) {
        return Ok(());
    }
    let open = user_of_sorry(&mut env.terms, submission, vec![target]);
    match open.map_err(|error| Refusal::Unreadable { problem: error.to_string() })? {
        Some(user) => {
            let name = env.terms.show_name(user);
            let through = if name == goal.name { String::new() } else { format!(" in `{name}`") };
            Err(Refusal::Sorry { through }.into())
        }
        None => Ok(()),
    }
}

/// What the kernel's end of the work means: only a module of the library makes it [`KernelError::Unreadable`].
fn stopped(error: KernelError) -> Stop {
    match error {
        KernelError::Refused { constant, problem } => Refusal::Kernel { constant, problem }.into(),
        KernelError::Exhausted { constant, what } => exhausted(constant, what),
        KernelError::Unreadable(error) => JudgeError::Library(error).into(),
    }
}

/// What the end of the budget means. How far it came by a deadline depends on the machine, and is no judgement.
fn exhausted(constant: String, what: Exhausted) -> Stop {
    match what {
        Exhausted::Time => JudgeError::Overdue { constant }.into(),
        Exhausted::Steps | Exhausted::Memory | Exhausted::Depth => {
            Refusal::Unproven { constant, what }.into()
        }
    }
}
