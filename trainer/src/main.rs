//! The `polestar` binary: parses the command line, runs one command, prints what went wrong in one shape.

use std::process::ExitCode;

fn main() -> ExitCode {
    polestar::cli::main()
}
