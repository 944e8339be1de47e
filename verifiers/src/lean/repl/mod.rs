//! The REPL of the Lean community, as a back end: a process elaborates a header once, then bodies behind it.
//!
//! It has no limit of time and takes no request back, dies of what it does not understand, and frees nothing: so it runs in
//! a box, is ended with it, and is replaced now and then.

mod wire;

#[cfg(test)]
pub(super) mod tests;

use std::time::Instant;

use super::boxed::Boxed;
use super::screen::{Message, Screened, Severity};
use super::warm::{Trouble, Warm};
pub(super) use wire::{CommandAnswer, Reply, TacticAnswer, read_command};

/// Before a refusal that speaks of the text and not of the request.
pub(super) const LEAN_ERROR: &str = "Lean error:";

/// One process and what was said to it.
#[derive(Debug)]
pub(crate) struct Repl {
    program: Boxed,
    /// The environment after the header.
    base: u64,
    /// The last environment, and the last state of a proof: each answer has a new one.
    last_env: Option<u64>,
    last_state: Option<u64>,
}

/// What a text came to.
#[derive(Debug)]
pub(super) enum Said<A> {
    Answer(A),
    /// Lean could not go on with the text at all.
    Error(String),
}

impl Repl {
    /// Elaborates a text in the environment after the header, without keeping what it adds.
    pub(super) fn command(&mut self, text: &str, deadline: Instant) -> Result<Said<CommandAnswer>, Trouble> {
        self.command_in(text, Some(self.base), deadline)
    }

    fn command_in(
        &mut self,
        text: &str,
        env: Option<u64>,
        deadline: Instant,
    ) -> Result<Said<CommandAnswer>, Trouble> {
        let said: Said<CommandAnswer> = self.ask(&wire::command(text, env), deadline)?;
        if let Said::Answer(answer) = &said {
            // An answer to something that was asked before has a number that was there before.
            check_new(&mut self.last_env, answer.env, "env")?;
            for state in answer.sorries.iter().filter_map(|sorry| sorry.proof_state) {
                check_new(&mut self.last_state, state, "proofState")?;
            }
        }
        Ok(said)
    }

    /// Runs a tactic in a state of a proof.
    pub(super) fn tactic(
        &mut self,
        text: &str,
        state: u64,
        deadline: Instant,
    ) -> Result<Said<TacticAnswer>, Trouble> {
        let said: Said<TacticAnswer> = self.ask(&wire::tactic(text, state), deadline)?;
        if let Said::Answer(answer) = &said {
            // A `sorry` in a tactic is a state as well, which may come before or after its own.
            let sorries = answer.sorries.iter().filter_map(|sorry| sorry.proof_state);
            let before = self.last_state;
            check_new(&mut self.last_state, answer.proof_state, "proofState")?;
            for state in sorries {
                check_new(&mut before.clone(), state, "proofState")?;
                self.last_state = self.last_state.max(Some(state));
            }
        }
        Ok(said)
    }

    /// Whether it has written nothing but blanks since its last answer.
    fn is_quiet(&mut self) -> bool {
        let num_blank = self.program.output().len() - self.program.output().trim_ascii_start().len();
        self.program.consume(num_blank);
        self.program.output().is_empty()
    }

    fn ask<A: serde::de::DeserializeOwned>(
        &mut self,
        request: &[u8],
        deadline: Instant,
    ) -> Result<Said<A>, Trouble> {
        self.program.send(request);
        let reply = loop {
            if let Some((answer, end)) = wire::first(self.program.output()) {
                let reply = wire::read(answer).map_err(Trouble::Rubbish)?;
                self.program.consume(end);
                break reply;
            }
            self.program.more(deadline)?;
        };
        if !self.is_quiet() {
            let problem = crate::protocol::shown(self.program.output());
            return Err(Trouble::Rubbish(format!("it wrote more than one answer: {problem}")));
        }
        if !self.program.is_fed() {
            return Err(Trouble::Rubbish("it answered before it had read the request".to_owned()));
        }
        match reply {
            Reply::Answer(answer) => Ok(Said::Answer(answer)),
            Reply::Refusal(message) if message.starts_with(LEAN_ERROR) => {
                Ok(Said::Error(message[LEAN_ERROR.len()..].trim().to_owned()))
            }
            Reply::Refusal(message) => Err(Trouble::Rubbish(format!("it does not understand: {message}"))),
        }
    }
}

impl Warm for Repl {
    const NAME: &'static str = "REPL";

    fn open(program: Boxed, header: &str, deadline: Instant) -> Result<Self, Trouble> {
        let mut repl = Self { program, base: 0, last_env: None, last_state: None };
        let answer = match repl.command_in(header, None, deadline)? {
            Said::Answer(answer) => answer,
            Said::Error(problem) => return Err(Trouble::Header(problem)),
        };
        repl.base = answer.env;
        let screened = screened(answer);
        match screened.error() {
            Some(error) => Err(Trouble::Header(error.to_string())),
            None if screened.num_sorries > 0 => Err(Trouble::Header("it has `sorry`".to_owned())),
            None => Ok(repl),
        }
    }

    fn run(&mut self, body: &str, deadline: Instant) -> Result<Screened, Trouble> {
        Ok(match self.command(body, deadline)? {
            Said::Answer(answer) => screened(answer),
            Said::Error(text) => {
                let error = Message { severity: Severity::Error, line: 1, column: 0, text };
                Screened::new(vec![error], 0)
            }
        })
    }

    fn is_idle(&mut self) -> bool {
        self.program.is_well() && self.is_quiet()
    }
}

fn screened(answer: CommandAnswer) -> Screened {
    let num_reported = answer.sorries.len();
    Screened::new(answer.messages.into_iter().map(Message::from).collect(), num_reported)
}

/// Takes note of a number that counts up.
fn check_new(last: &mut Option<u64>, number: u64, name: &str) -> Result<(), Trouble> {
    if let Some(last) = *last
        && number <= last
    {
        let problem = format!("`{name}` is {number} in an answer after one in which it was {last}");
        return Err(Trouble::Rubbish(problem));
    }
    *last = Some(number);
    Ok(())
}
