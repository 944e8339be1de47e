//! `code`: unit tests as reward. For now only the parts that need no sandbox: reading references and languages, finding
//! the program in a response, comparing output.

// Temporary, until the verifier itself stands here and uses the parts.
#![allow(dead_code, unreachable_pub)]

mod cases;
mod language;
mod program;
mod reference;
