//! `polestar-verify`: judges responses by reference answers, without libtorch.

use std::process::ExitCode;

use clap::Parser;
use polestar_verifiers::{VERIFY_ABOUT, VerifyArgs, run_verify, verify_help};

#[derive(Parser)]
#[command(name = "polestar-verify", version, about = VERIFY_ABOUT, after_help = verify_help())]
struct Cli {
    #[command(flatten)]
    verify: VerifyArgs,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    ExitCode::from(run_verify(&cli.verify, std::io::stdin(), &mut std::io::stdout()))
}
