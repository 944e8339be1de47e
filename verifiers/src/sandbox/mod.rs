//! The walls around a program that is judged.

#[allow(dead_code, unused_imports)]
mod cgroup;
#[allow(dead_code)]
mod seccomp;
