//! A proof tactic by tactic, for a search: states that can be gone on from in any order, and what each tactic does.
//!
//! Lean runs in a process that may die of a tactic or not come back from it. The session goes on without: it begins a new
//! process for the next tactic and runs again what led to its state.
//!
//! A proof that is finished here is not one that is right yet: tactics have been taken for proofs that were none. Its text
//! ([`Session::proof`]) is to be judged like any other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::boxed::Stop;
use super::repl::{Repl, Said, TacticAnswer};
use super::screen::{Fault, Message, Screened, Severity, until};
use super::tactics::{Statement, assemble};
use super::warm::{Lent, Trouble, WarmScreen};
use crate::budget::Budget;
use crate::verdict::Kind;

/// What the REPL says of a proof that its own check has found whole.
const COMPLETED: &str = "Completed";

/// One state of a proof in a [`Session`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateId(usize);

/// A state with goals that remain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TacticState {
    /// To go on from it.
    pub id: StateId,
    /// As Lean shows them, the one that the next tactic is for first. Never empty.
    pub goals: Vec<String>,
    /// Warnings and other messages of the tactic that led here.
    pub messages: Vec<String>,
}

/// What a tactic came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Goals remain.
    State(TacticState),
    /// None remain, and the term passed the REPL's check. [`Session::proof`] has the text, which is still to be judged.
    Finished {
        /// For [`Session::proof`].
        id: StateId,
        /// Warnings and other messages of the tactic.
        messages: Vec<String>,
    },
    /// The tactic fails, or what it leaves is no proof: Lean's words.
    Error(String),
    /// It uses `sorry`.
    GivenUp,
}

/// Why there is no step. The session can be gone on with after [`Self::Crash`] and [`Self::Timeout`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SessionError {
    /// The process died of it, or took too much memory, or answered with what is no answer.
    #[error("{message}")]
    Crash {
        /// What happened.
        message: String,
        /// Whether it was for memory.
        is_out_of_memory: bool,
    },
    /// It did not end in time.
    #[error("it was ended after {:.1} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The theorem cannot be begun.
    #[error("the theorem cannot be begun: {0}")]
    Statement(String),
    /// There is no REPL, or no time left: nobody's fault here.
    #[error("{0}")]
    Unavailable(String),
    /// No state of this proof has that name.
    #[error("this proof has no state {}", .0.0)]
    UnknownState(StateId),
}

/// A state, and how it was reached.
#[derive(Debug)]
struct Node {
    /// None at the root.
    step: Option<(StateId, String)>,
    goals: Vec<String>,
    /// Its number in the process that runs.
    number: Option<u64>,
    is_finished: bool,
}

/// A theorem that is being proven.
#[derive(Debug)]
pub struct Session {
    screen: Arc<WarmScreen<Repl>>,
    header: String,
    statement: Statement,
    nodes: Vec<Node>,
    /// None until the next tactic, after the last one has died.
    process: Option<Lent<Repl>>,
    /// After trouble with a process, which may have come from what ran in it before.
    is_fresh_wanted: bool,
}

impl Session {
    /// Begins the proof of a theorem: a text that ends in `:= by sorry` or `:= sorry`, which may define things before, behind
    /// a header with all imports.
    ///
    /// # Errors
    /// The text is none with exactly one `sorry`, at its end; Lean finds an error in it; or there is no REPL.
    pub(crate) fn start(
        screen: Arc<WarmScreen<Repl>>,
        header: &str,
        statement: &str,
        budget: &Budget,
    ) -> Result<(Self, TacticState), SessionError> {
        let statement = Statement::read(statement).map_err(SessionError::Statement)?;
        let mut session = Self {
            screen,
            header: header.to_owned(),
            statement,
            nodes: Vec::new(),
            process: None,
            is_fresh_wanted: false,
        };
        let (number, goals) = session.begin(budget)?;
        session.nodes.push(Node {
            step: None,
            goals: goals.clone(),
            number: Some(number),
            is_finished: false,
        });
        Ok((session, TacticState { id: StateId(0), goals, messages: Vec::new() }))
    }

    /// Runs a tactic, of one line or more, in a state. The clock of the setting runs for this tactic alone, within the
    /// budget.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn run(&mut self, state: StateId, tactic: &str, budget: &Budget) -> Result<Step, SessionError> {
        let node = self.nodes.get(state.0).ok_or(SessionError::UnknownState(state))?;
        if node.is_finished {
            return Ok(Step::Error("no goals".to_owned()));
        }
        self.renew(state)?;
        let number = self.reach(state, budget)?;
        let answer = match self.tactic(number, tactic, budget)? {
            Said::Error(text) => return Ok(Step::Error(text)),
            Said::Answer(answer) => answer,
        };
        let number = answer.proof_state;
        let (outcome, messages) = outcome(answer);
        let (goals, is_finished) = match outcome {
            Outcome::Goals(goals) => (goals, false),
            Outcome::Finished => (Vec::new(), true),
            Outcome::GivenUp => return Ok(Step::GivenUp),
            Outcome::Error(text) => return Ok(Step::Error(text)),
        };
        let id = StateId(self.nodes.len());
        let step = Some((state, tactic.to_owned()));
        self.nodes.push(Node { step, goals: goals.clone(), number: Some(number), is_finished });
        Ok(if is_finished {
            Step::Finished { id, messages }
        } else {
            Step::State(TacticState { id, goals, messages })
        })
    }

    /// The goals of a state; empty where it is finished.
    ///
    /// # Errors
    /// There is no such state.
    pub fn goals(&self, state: StateId) -> Result<&[String], SessionError> {
        let node = self.nodes.get(state.0).ok_or(SessionError::UnknownState(state))?;
        Ok(&node.goals)
    }

    /// The tactics that lead to a state, from the first.
    ///
    /// # Errors
    /// There is no such state.
    pub fn tactics(&self, state: StateId) -> Result<Vec<&str>, SessionError> {
        let mut node = self.nodes.get(state.0).ok_or(SessionError::UnknownState(state))?;
        let mut tactics = Vec::new();
        while let Some((parent, tactic)) = &node.step {
            tactics.push(tactic.as_str());
            // A node's parent is one that was there before it.
            node = self.nodes.get(parent.0).ok_or(SessionError::UnknownState(*parent))?;
        }
        tactics.reverse();
        Ok(tactics)
    }

    /// The theorem with the tactics that lead to a state in place of its `sorry`: a text to be judged as a whole proof.
    ///
    /// # Errors
    /// There is no such state.
    pub fn proof(&self, state: StateId) -> Result<String, SessionError> {
        Ok(assemble(&self.statement, &self.tactics(state)?))
    }

    /// Lets a process go that has run as many tactics as one may, which frees nothing while it lives. What led to the state
    /// must be run again then, and does not count.
    fn renew(&mut self, state: StateId) -> Result<(), SessionError> {
        let depth = self.tactics(state)?.len() as u64;
        let most = self.screen.uses().saturating_add(depth);
        if self.process.as_ref().is_some_and(|lent| lent.num_used >= most) {
            self.process = None;
            self.forget_numbers();
        }
        Ok(())
    }

    /// The number of a state in a process that runs; what led to it is run again where that is a new one.
    fn reach(&mut self, state: StateId, budget: &Budget) -> Result<u64, SessionError> {
        if self.process.is_none() {
            let (number, goals) = self.begin(budget)?;
            if goals != self.nodes[0].goals {
                return Err(self.differs());
            }
            self.nodes[0].number = Some(number);
        }
        let mut path = Vec::new();
        let mut at = state;
        while self.nodes[at.0].number.is_none()
            && let Some((parent, _)) = &self.nodes[at.0].step
        {
            path.push(at);
            at = *parent;
        }
        for id in path.into_iter().rev() {
            let Some((parent, tactic)) = self.nodes[id.0].step.clone() else { continue };
            let Some(number) = self.nodes[parent.0].number else { return Err(self.differs()) };
            let Said::Answer(answer) = self.tactic(number, &tactic, budget)? else {
                return Err(self.differs());
            };
            if answer.goals != self.nodes[id.0].goals {
                return Err(self.differs());
            }
            self.nodes[id.0].number = Some(answer.proof_state);
        }
        self.nodes[state.0].number.ok_or_else(|| self.differs())
    }

    /// A new process with the theorem begun: the number and the goals of its first state.
    fn begin(&mut self, budget: &Budget) -> Result<(u64, Vec<String>), SessionError> {
        let text = self.statement.with_sorry();
        let said = loop {
            let lent = self.screen.take(&self.header, self.is_fresh_wanted, budget).map_err(unavailable)?;
            let is_fresh = lent.num_used == 0;
            self.process = Some(lent);
            match self.ask(budget, |repl, deadline| repl.command(&text, deadline)) {
                // It may be what ran in it before.
                Err(_) if !is_fresh && !budget.expired() => {}
                said => break said?,
            }
        };
        let answer = match said {
            Said::Error(text) => return Err(SessionError::Statement(text)),
            Said::Answer(answer) => answer,
        };
        let sorries = answer.sorries;
        let screened = Screened::new(answer.messages.into_iter().map(Message::from).collect(), sorries.len());
        if let Some(error) = screened.error() {
            return Err(SessionError::Statement(error.to_string()));
        }
        match <[_; 1]>::try_from(sorries) {
            Ok([sorry]) if screened.num_sorries == 1 => match sorry.proof_state {
                Some(number) => Ok((number, vec![sorry.goal])),
                None => Err(SessionError::Statement("the REPL gives no state for its `sorry`".to_owned())),
            },
            Ok(_) => {
                Err(SessionError::Statement("more than one of its declarations uses `sorry`".to_owned()))
            }
            Err(sorries) => {
                let count = sorries.len();
                Err(SessionError::Statement(format!(
                    "it must have one `sorry`, at its end; Lean finds {count}"
                )))
            }
        }
    }

    fn tactic(
        &mut self,
        number: u64,
        tactic: &str,
        budget: &Budget,
    ) -> Result<Said<TacticAnswer>, SessionError> {
        self.ask(budget, |repl, deadline| repl.tactic(tactic, number, deadline))
    }

    /// Asks the process, which is gone after trouble, and with it the numbers of all states.
    fn ask<A>(
        &mut self,
        budget: &Budget,
        question: impl FnOnce(&mut Repl, Instant) -> Result<A, Trouble>,
    ) -> Result<A, SessionError> {
        let Some(mut lent) = self.process.take() else {
            return Err(SessionError::Unavailable("the session has no process".to_owned()));
        };
        let started = Instant::now();
        lent.num_used += 1;
        match question(&mut lent.worker, until(budget, self.screen.times().proof)) {
            Ok(answer) => {
                self.process = Some(lent);
                Ok(answer)
            }
            Err(trouble) => {
                self.forget_numbers();
                self.is_fresh_wanted = true;
                let fault = self.screen.blame(&trouble, started.elapsed());
                Err(error_of(&trouble, fault, started.elapsed()))
            }
        }
    }

    fn forget_numbers(&mut self) {
        for node in &mut self.nodes {
            node.number = None;
        }
    }

    /// A state that was reached before is not reached again.
    fn differs(&mut self) -> SessionError {
        self.process = None;
        self.forget_numbers();
        let message = "the tactics that led to this state lead elsewhere in a new process".to_owned();
        SessionError::Crash { message, is_out_of_memory: false }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(lent) = self.process.take() {
            self.screen.give_back(lent);
        }
    }
}

fn unavailable(fault: Fault) -> SessionError {
    let (Fault::Judged { reason: message, .. } | Fault::Undecided { message, .. }) = fault;
    SessionError::Unavailable(message)
}

fn error_of(trouble: &Trouble, fault: Fault, elapsed: Duration) -> SessionError {
    match fault {
        Fault::Judged { kind: Kind::Timeout, .. } => SessionError::Timeout(elapsed),
        Fault::Judged { reason: message, .. } => {
            SessionError::Crash { message, is_out_of_memory: matches!(trouble, Trouble::Stop(Stop::Memory)) }
        }
        Fault::Undecided { message, .. } => SessionError::Unavailable(message),
    }
}

/// What an answer to a tactic says.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Goals(Vec<String>),
    Finished,
    GivenUp,
    Error(String),
}

/// What an answer says, and its messages where it is no error. That no goals remain is not enough: a tactic that failed may
/// leave none.
fn outcome(answer: TacticAnswer) -> (Outcome, Vec<String>) {
    let TacticAnswer { goals, proof_status, messages, sorries, .. } = answer;
    let screened = Screened::new(messages.into_iter().map(Message::from).collect(), sorries.len());
    let errors: Vec<_> =
        screened.messages.iter().filter(|message| message.severity == Severity::Error).collect();
    if !errors.is_empty() {
        let texts: Vec<_> = errors.iter().map(|error| error.text.trim()).collect();
        return (Outcome::Error(texts.join("\n")), Vec::new());
    }
    let status = proof_status.as_deref();
    let outcome = match status {
        _ if screened.num_sorries > 0 => Outcome::GivenUp,
        Some(status) if status.contains("sorry") => Outcome::GivenUp,
        Some(COMPLETED) if goals.is_empty() => Outcome::Finished,
        Some(COMPLETED) => Outcome::Error("the REPL calls a proof complete that has open goals".to_owned()),
        Some(status) if goals.is_empty() || status.starts_with("Error") => Outcome::Error(status.to_owned()),
        None if goals.is_empty() => Outcome::Error(
            "the REPL does not say whether the proof is complete (`proofStatus`); a newer version does"
                .to_owned(),
        ),
        _ => Outcome::Goals(goals),
    };
    (outcome, screened.messages.into_iter().map(|message| message.text).collect())
}

#[cfg(test)]
mod tests;
