//! The command line. One file a command; results go to standard output, progress and logs to standard error. Exit code
//! 0 is success, 1 failed work, 2 a wrong call or configuration, 75 a clean stop on request.

pub mod bench;
pub mod common;
pub mod data;
pub mod doctor;
pub mod eval;
pub mod export;
pub mod generate;
pub mod histogram;
pub mod import_gguf;
pub mod init_model;
pub mod plan;
pub mod progress;
pub mod report;
pub mod rollouts;
pub mod rollouts_view;
pub mod run_report;
pub mod score;
pub mod sets;
pub mod train;
pub mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use common::{CliError, EXIT_STOPPED};

/// Trains language models to reason by reinforcement from verifiable rewards.
#[derive(Debug, Parser)]
#[command(name = "polestar", version, max_term_width = 100, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// No progress and no log lines on standard error, only errors.
    #[arg(long, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::TrainArgs),
    Resume(train::ResumeArgs),
    Eval(eval::EvalArgs),
    Generate(generate::GenerateArgs),
    Score(score::ScoreArgs),
    Verify(verify::VerifyCommand),
    Rollouts(rollouts::RolloutsArgs),
    Report(run_report::ReportArgs),
    Data(data::DataArgs),
    InitModel(init_model::InitModelArgs),
    ImportGguf(import_gguf::ImportGgufArgs),
    Bench(bench::BenchArgs),
    Export(export::ExportArgs),
    Doctor(doctor::DoctorArgs),
}

/// Runs the command that was typed.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    progress::set_quiet(cli.quiet);
    common::set_quiet(cli.quiet);
    common::outlive_file_size_limit();
    let outcome = match cli.command {
        Command::Train(args) => train::train(&args),
        Command::Resume(args) => train::resume(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Rollouts(args) => rollouts::run(&args),
        Command::Report(args) => run_report::run(&args),
        Command::Data(args) => data::run(&args),
        Command::InitModel(args) => init_model::run(&args),
        Command::ImportGguf(args) => import_gguf::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Doctor(args) => doctor::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(common::tell(&error)),
    }
}
