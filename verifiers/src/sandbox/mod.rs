//! The walls around a program that is judged.

#[allow(dead_code)]
mod seccomp;
