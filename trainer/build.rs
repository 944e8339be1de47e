//! Writes libtorch's folders into the binary's rpath, so that it runs with no LD_LIBRARY_PATH.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rerun-if-changed=build.rs");
    let Some(libtorch) = std::env::var_os("LIBTORCH").map(PathBuf::from) else {
        return; // torch-sys has its own ways to find libtorch, and its own error when it cannot.
    };
    let root = libtorch.canonicalize().unwrap_or(libtorch);
    let lib = root.join("lib");
    let mut folders = vec![lib.clone()];
    // The PyPI wheel of torch keeps the CUDA runtime, which even its CPU library needs, beside it.
    if let Some(site_packages) = root.parent() {
        folders.extend(nvidia_folders(&site_packages.join("nvidia")));
    }
    for folder in folders {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", folder.display());
        println!("cargo:rustc-link-arg=-Wl,-rpath-link,{}", folder.display());
    }
}

fn nvidia_folders(nvidia: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(nvidia) else { return Vec::new() };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path().join("lib")).filter(|lib| lib.is_dir()).collect();
    folders.sort();
    folders
}
