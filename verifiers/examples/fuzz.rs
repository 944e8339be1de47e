//! Feeds a verifier random texts for as long as it is told to, and looks that it neither panics nor takes long, that
//! every reference equals itself, and that equality does not depend on which of two is the reference.
//!
//! ```text
//! cargo run --release --example fuzz -- --kind math --seconds 600 --seed 1
//! ```
//!
//! Texts are made of pieces that the verifier's parsers know, of random bytes, of mutations of both, and now and then of
//! one piece repeated up to a megabyte. One line of JSON at the end says what was done; a finding ends the run with exit
//! code 1 and the texts that made it. Not part of the tests: they have proptest for seconds, this is for hours.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;
use polestar_verifiers::{Budget, Judge, RawItem, configure};
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// The longest that one verdict may take, of a core's time.
const LONGEST: Duration = Duration::from_secs(1);
/// After so long a round, of a clock's time, does not end.
const HANGS: Duration = Duration::from_secs(60);

/// Pieces that formulas, choices and sentences are made of.
const PIECES: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "42",
    "100",
    "1,234",
    "0.5",
    "3.14",
    "1/2",
    "½",
    "x",
    "y",
    "n",
    "xy",
    "e",
    "i",
    "π",
    "+",
    "-",
    "−",
    "*",
    "/",
    "^",
    "_",
    "!",
    "%",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    ",",
    ";",
    ":",
    "=",
    "<",
    ">",
    "≤",
    r"\frac",
    r"\frac{",
    r"\sqrt{",
    r"\sqrt[3]{",
    r"\pi",
    r"\infty",
    r"\cup",
    r"\cap",
    r"\pm",
    r"\in",
    r"\{",
    r"\}",
    r"\sin",
    r"\cos",
    r"\log_2",
    r"\ln",
    r"\binom{4}{2}",
    r"\text{",
    r"\mathrm{",
    r"\begin{pmatrix}",
    r"\\",
    "&",
    r"\end{pmatrix}",
    r"\left(",
    r"\right)",
    r"\cdot",
    r"\times",
    r"\overline{3}",
    r"\le",
    r"\ne",
    r"^\circ",
    r"^{",
    "$",
    r"\$",
    " ",
    "\n",
    " cm",
    " apples",
    " and ",
    " or ",
    "²",
    "√",
    "∞",
    "The answer is ",
    "#### ",
    r"\boxed{",
    "Answer: ",
    "A: ",
    "not ",
    "yes",
    "no",
    "True",
    "False",
    "valid",
    "invalid",
    "(A)",
    "(B)",
    "B.",
    "C",
    "red",
    "blue one",
    ".",
    "?",
    "</think>",
    "<think>",
    "\u{0}",
    "\u{feff}",
    "é",
    "😀",
    "<answer>",
    "</answer>",
    "ｓｉｎ",
    "ｘｙ",
    "５",
    "（",
    "＋",
    "₂",
    "𝟜",
    "Ω",
    "]",
    "the ",
    "I think ",
    "maybe ",
];

#[derive(Parser)]
struct Args {
    /// The kind of verifier
    #[arg(long, default_value = "math")]
    kind: String,
    /// How long
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Of the random texts
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What was found wrong, with the texts.
type Finding = String;

/// The texts at work and since when, for the watchdog.
type AtWork = Arc<Mutex<(Instant, String)>>;

struct Fuzzer {
    at_work: AtWork,
    kind: String,
    random: ChaCha12Rng,
    num_texts: u64,
    num_references: u64,
    longest: Duration,
}

impl Fuzzer {
    fn below(&mut self, bound: usize) -> usize {
        // A bias of one in many millions is of no matter here.
        (self.random.next_u64() % bound.max(1) as u64) as usize
    }

    fn text(&mut self) -> String {
        match self.below(100) {
            0 => {
                let piece = PIECES[self.below(PIECES.len())];
                let size = 1 << self.below(21);
                format!("{}{}", piece.repeat(size / piece.len()), PIECES[self.below(PIECES.len())])
            }
            1..10 => {
                let mut bytes = vec![0; self.below(200)];
                self.random.fill_bytes(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            }
            10..20 => {
                let mut bytes = self.pieces(30).into_bytes();
                for _ in 0..self.below(4) {
                    if !bytes.is_empty() {
                        let at = self.below(bytes.len());
                        bytes[at] = (self.random.next_u32() & 0xff) as u8;
                    }
                }
                String::from_utf8_lossy(&bytes).into_owned()
            }
            20..60 => self.pieces(8),
            _ => self.pieces(40),
        }
    }

    fn pieces(&mut self, most: usize) -> String {
        let count = self.below(most);
        (0..count).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }

    fn reference(&self, text: &str) -> Value {
        match self.kind.as_str() {
            "choice" => json!({"answer": text, "options": {"A": "red", "B": "blue one", "C": text}}),
            _ => json!(text),
        }
    }

    fn bind(&self, text: &str) -> Option<Arc<dyn Judge>> {
        let settings = configure(&self.kind, &Value::Null).ok()?;
        settings.bind(RawItem { id: "f".into(), reference: self.reference(text), ..RawItem::default() }).ok()
    }

    /// The verdict's kind, after a look at the time that it took.
    fn judge(&mut self, judge: &Arc<dyn Judge>, response: &str, gold: &str) -> Result<&'static str, Finding> {
        let start = cpu_time();
        let verdict = judge.judge(&response.into(), &Budget::starting_now(Duration::from_secs(3600)));
        let took = cpu_time().saturating_sub(start);
        self.longest = self.longest.max(took);
        if took > LONGEST {
            return Err(format!("took {took:?}: {gold:?} against {response:?}"));
        }
        if verdict.score().is_none() {
            return Err(format!("undecided: {gold:?} against {response:?}: {}", verdict.reason()));
        }
        Ok(verdict.kind_name())
    }

    /// One round: two texts as responses to a fixed reference, and as references for each other.
    fn round(&mut self) -> Result<(), Finding> {
        let (a, b) = (self.text(), self.text());
        *self.at_work.lock().unwrap_or_else(PoisonError::into_inner) =
            (Instant::now(), format!("{a:?} {b:?}"));
        self.num_texts += 2;
        let fixed = if self.kind == "choice" { "B" } else { "yes" };
        if let Some(judge) = self.bind(fixed) {
            self.judge(&judge, &a, fixed)?;
        }
        let start = cpu_time();
        let (gold_a, gold_b) = (self.bind(&a), self.bind(&b));
        let took = cpu_time().saturating_sub(start);
        if took > LONGEST {
            return Err(format!("binding took {took:?}: {a:?} {b:?}"));
        }
        let (Some(gold_a), Some(gold_b)) = (gold_a, gold_b) else { return Ok(()) };
        self.num_references += 2;
        let (Some(answer_a), Some(answer_b)) = (gold_a.answer(), gold_b.answer()) else { return Ok(()) };
        let (boxed_a, boxed_b) = (format!(r"\boxed{{{answer_a}}}"), format!(r"\boxed{{{answer_b}}}"));
        let there = self.judge(&gold_a, &boxed_b, &a)?;
        let back = self.judge(&gold_b, &boxed_a, &b)?;
        // An answer that holds a brace of its own, or a mark of the rule, is cut where it stands.
        let is_plain = |text: &str| {
            !text.ends_with('\\') && !text.contains(['{', '}', '<', '#', '[']) && !text.contains("boxed")
        };
        if self.kind == "math"
            && is_plain(&answer_a)
            && is_plain(&answer_b)
            && (there == "right") != (back == "right")
        {
            return Err(format!("not symmetric: {answer_a:?} {answer_b:?}: {there} {back}"));
        }
        let itself = self.judge(&gold_a, &boxed_a, &a)?;
        if self.kind == "math" && is_plain(&answer_a) && !matches!(itself, "right" | "over-budget") {
            return Err(format!("not itself: {answer_a:?}: {itself}"));
        }
        Ok(())
    }
}

/// Ends the program, with the texts, where one round does not end.
fn watch(at_work: AtWork) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(5));
            let (since, texts) = at_work.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if since.elapsed() > HANGS {
                println!("{}", json!({"finding": format!("hangs: {texts}")}));
                std::process::exit(1);
            }
        }
    });
}

/// What this thread has computed for, which other work on the machine does not lengthen.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    // Times since a thread's start are not negative.
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let at_work: AtWork = Arc::new(Mutex::new((Instant::now(), String::new())));
    watch(Arc::clone(&at_work));
    let mut fuzzer = Fuzzer {
        at_work,
        kind: args.kind.clone(),
        random: ChaCha12Rng::seed_from_u64(args.seed),
        num_texts: 0,
        num_references: 0,
        longest: Duration::ZERO,
    };
    let start = Instant::now();
    let mut finding = None;
    while start.elapsed() < Duration::from_secs(args.seconds) && finding.is_none() {
        finding = fuzzer.round().err();
    }
    let report = json!({
        "kind": args.kind,
        "seed": args.seed,
        "seconds": start.elapsed().as_secs_f64(),
        "texts": fuzzer.num_texts,
        "references": fuzzer.num_references,
        "longest_ms": fuzzer.longest.as_secs_f64() * 1e3,
        "finding": finding,
    });
    println!("{report}");
    ExitCode::from(u8::from(finding.is_some()))
}
