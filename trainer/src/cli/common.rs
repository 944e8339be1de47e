//! What several commands share: errors and how they are told, stopping on signals, loading a model.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use tch::Kind;

use super::report;
use crate::complaint::{Complain, Complaint};
use crate::model::{Decoder, device, load_folder};
use crate::recipe::{Dtype, World};
use crate::run::RunError;
use crate::run::setup::model_folder;
use crate::text::Tokenizer;

/// The exit code of a clean stop: the work is not finished and goes on when the command is run again.
pub const EXIT_STOPPED: u8 = 75;

/// Why a command failed.
#[derive(Debug)]
pub enum CliError {
    /// Something to tell.
    Complaints(Vec<Complaint>),
    /// Stopped on request, with what there is to say about it.
    Stopped(String),
    /// This exit code, everything having been said.
    Exit(u8),
}

impl<E: Complain> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::Complaints(error.complaints())
    }
}

impl CliError {
    /// A wrong call.
    pub fn call(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Complaints(vec![Complaint::call(what).next(next)])
    }

    /// Failed work, from any error.
    pub fn work(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Complaints(vec![Complaint::from_error(error)])
    }
}

static QUIET: AtomicBool = AtomicBool::new(false);

/// Silences [`say`].
pub fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// A log line.
pub fn say(text: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        eprintln!("{text}");
    }
}

/// Prints an error and gives its exit code.
pub fn tell(error: &CliError) -> u8 {
    match error {
        CliError::Complaints(complaints) => report::report(complaints, &mut std::io::stderr()),
        CliError::Stopped(text) => {
            say(text);
            EXIT_STOPPED
        }
        CliError::Exit(code) => *code,
    }
}

/// Writes a result to standard output. A reader that has gone away (`| head`) is a quiet end.
///
/// # Errors
/// Standard output cannot be written.
pub fn print_out(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What became of writing to standard output: a reader that has gone away is a quiet end.
///
/// # Errors
/// Any other failure.
pub fn written(outcome: std::io::Result<()>) -> Result<(), CliError> {
    match outcome {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::Complaints(vec![
            Complaint::work(format!("standard output cannot be written: {error}"))
                .next("check the disk or program that it goes to"),
        ])),
        _ => Ok(()),
    }
}

/// A result as indented JSON with a line end.
#[must_use]
pub fn pretty(value: &impl serde::Serialize) -> String {
    // Results are maps with text keys, numbers and text, which always serialize.
    format!("{:#}\n", serde_json::to_value(value).unwrap_or_default())
}

/// The floating-point type of saved weights, for `--dtype`.
///
/// # Errors
/// Another word.
pub fn saved_dtype(word: &str) -> Result<Kind, String> {
    match word {
        "f32" => Ok(Kind::Float),
        "f16" => Ok(Kind::Half),
        "bf16" => Ok(Kind::BFloat16),
        other => Err(format!("expected f32, f16 or bf16, found {other:?}")),
    }
}

/// Refuses a folder to be made that is there and not empty, and makes the folders above it.
///
/// # Errors
/// There is something at `out`, or the folder above it cannot be made.
pub fn new_folder(out: &Path) -> Result<(), CliError> {
    let is_empty = |path: &Path| std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if std::fs::symlink_metadata(out).is_ok() && !is_empty(out) {
        let found = if out.is_dir() { "a folder with something in it" } else { "a file" };
        return Err(CliError::Complaints(vec![
            Complaint::call(format!("--out {} is there already", out.display()))
                .expected("no such folder, or an empty one")
                .found(found)
                .next("name another folder, or remove this one"),
        ]));
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), std::fs::create_dir_all).map_err(|error| {
        CliError::call(format!("the folder for {} cannot be made: {error}", out.display()), "check the path")
    })
}

/// A flag that SIGINT, SIGTERM or SIGUSR1 raise. A second SIGINT ends the process at once.
pub fn stop_flag() -> Arc<AtomicBool> {
    use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
    let flag = Arc::new(AtomicBool::new(false));
    // Order matters: the first signal finds the flag down and only raises it.
    // Registering fails only for signals that cannot be handled, which these are not.
    let _ = signal_hook::flag::register_conditional_shutdown(SIGINT, i32::from(EXIT_STOPPED), flag.clone());
    for signal in [SIGINT, SIGTERM, SIGUSR1] {
        let _ = signal_hook::flag::register(signal, flag.clone());
    }
    flag
}

/// Lets a write beyond the process's file-size limit fail with an error that says so. Unhandled, its signal ends the
/// process without a word.
pub fn outlive_file_size_limit() {
    // Registering fails only for signals that cannot be handled, which this is not.
    let _ = signal_hook::flag::register(libc::SIGXFSZ, Arc::default());
}

/// Where and how a model is computed with.
#[derive(Debug, Clone, Args)]
pub struct ModelArgs {
    /// A Hugging Face folder, a run folder (its latest checkpoint), or hf:owner/name.
    #[arg(long, value_name = "DIR")]
    pub model: String,
    /// The type to compute in: auto, f32, bf16 or f16. auto is f32 on a CPU and the checkpoint's own on a GPU.
    #[arg(long, default_value = "auto", value_name = "TYPE")]
    pub dtype: String,
    /// auto, cpu, cuda or cuda:N.
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub device: String,
    /// CPU threads; 0 takes one for each core.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
}

/// A model ready to compute with.
pub struct Loaded {
    /// The model.
    pub decoder: Decoder,
    /// Its tokenizer.
    pub tokenizer: Arc<Tokenizer>,
    /// Its folder.
    pub folder: PathBuf,
}

/// The device that the arguments name, or the best that this machine has.
///
/// # Errors
/// It is no device, or the machine lacks it.
pub fn chosen_device(args: &ModelArgs) -> Result<tch::Device, CliError> {
    let gpus = device::num_gpus();
    let device = match args.device.as_str() {
        "auto" if gpus > 0 => tch::Device::Cuda(0),
        "auto" | "cpu" => tch::Device::Cpu,
        "cuda" => tch::Device::Cuda(0),
        other => match other.strip_prefix("cuda:").and_then(|n| n.parse().ok()) {
            Some(index) => tch::Device::Cuda(index),
            None => {
                return Err(CliError::call(
                    format!("--device {other:?} is no device: expected auto, cpu, cuda or cuda:N"),
                    "`polestar doctor` lists this machine's devices",
                ));
            }
        },
    };
    require_device(device, "--device")?;
    Ok(device)
}

/// Loads what a device needs; `setting` is where it was asked for.
///
/// # Errors
/// This machine has no such device.
pub fn require_device(device: tch::Device, setting: &str) -> Result<(), CliError> {
    let tch::Device::Cuda(index) = device else { return Ok(()) };
    let gpus = device::num_gpus();
    if index < gpus {
        return Ok(());
    }
    let why = device::load_cuda().err().unwrap_or_else(|| format!("libtorch sees {gpus} GPUs"));
    Err(CliError::call(
        format!("{setting} = cuda:{index} is not to be had: {why}"),
        "compute on the CPU, or see `polestar doctor`",
    ))
}

/// Loads a model as the arguments say.
///
/// # Errors
/// The model does not load, or the machine lacks the device.
pub fn load_model(args: &ModelArgs) -> Result<Loaded, CliError> {
    let folder = model_folder(&args.model)?;
    let cores = cores();
    let threads = if args.threads == 0 { cores } else { args.threads };
    tch::set_num_threads(i32::try_from(threads).unwrap_or(1));
    let device = chosen_device(args)?;
    let kind = match (args.dtype.as_str(), device) {
        ("auto", tch::Device::Cpu) | ("f32", _) => Some(Kind::Float),
        ("auto", _) => None,
        ("bf16", _) => Some(Kind::BFloat16),
        ("f16", _) => Some(Kind::Half),
        (other, _) => {
            return Err(CliError::call(
                format!("--dtype {other:?} is no type: expected auto, f32, bf16 or f16"),
                "leave it out for the default",
            ));
        }
    };
    let tokenizer = Tokenizer::load(&folder).map_err(RunError::from)?;
    let loaded = load_folder(&folder, device, kind).map_err(RunError::from)?;
    tokenizer.check_vocab(loaded.config.vocab_size).map_err(RunError::from)?;
    for warning in &loaded.config.warnings {
        say(&format!("{}: {warning}", folder.display()));
    }
    let decoder = Decoder::new(loaded.config, loaded.weights);
    Ok(Loaded { decoder, tokenizer: Arc::new(tokenizer), folder })
}

/// Cores that this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What resolving a recipe needs to know of this machine and of the base model at `model`.
#[must_use]
pub fn world(model: &str) -> World {
    let checkpoint_dtype = model_folder(model)
        .ok()
        .and_then(|folder| crate::model::DecoderConfig::from_folder(&folder).ok())
        .and_then(|config| config.dtype)
        .map_or(Dtype::F32, |dtype| match dtype {
            crate::model::config::WeightDtype::F32 => Dtype::F32,
            crate::model::config::WeightDtype::F16 => Dtype::F16,
            crate::model::config::WeightDtype::Bf16 => Dtype::Bf16,
        });
    World { cores: cores(), num_gpus: device::num_gpus(), checkpoint_dtype, slots: 0 }
}

/// A line of a JSONL file: its number from 1, and its object.
pub type JsonLine = (usize, serde_json::Map<String, serde_json::Value>);

/// Reads a JSONL file line by line.
///
/// # Errors
/// The file cannot be read, or a line is no JSON object: file and line are named.
pub fn read_jsonl(path: &Path) -> Result<Vec<JsonLine>, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CliError::call(format!("{} cannot be read: {error}", path.display()), "check the path")
    })?;
    let mut rows = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(line) {
            Ok(serde_json::Value::Object(row)) => rows.push((index + 1, row)),
            Ok(_) => return Err(bad_line(path, index + 1, "expected a JSON object, found another value")),
            Err(error) => return Err(bad_line(path, index + 1, &format!("not JSON: {error}"))),
        }
    }
    if rows.is_empty() {
        return Err(CliError::call(format!("{} holds no lines", path.display()), "give at least one"));
    }
    Ok(rows)
}

/// A complaint about one line of a file.
#[must_use]
pub fn bad_line(path: &Path, line: usize, problem: &str) -> CliError {
    CliError::call(format!("{}:{line}: {problem}", path.display()), "mend the line, or leave it out")
}
