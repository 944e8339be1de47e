//! Where the real benchmarks are that tests read, if they are on this machine.

use std::path::{Path, PathBuf};

/// The folder of the benchmarks, if it has the folder `sort`; none after saying so.
pub(crate) fn shared(sort: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("POLESTAR_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    if shared.join(sort).is_dir() {
        return Some(shared);
    }
    println!(
        "SKIPPED: no {sort}/ at {}; set POLESTAR_SHARED to the folder that holds {sort}/",
        shared.display()
    );
    None
}
