//! Reads the texts in which Linux, NVIDIA's driver and libtorch say what they are.

/// A processor, as /proc/cpuinfo describes the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Processor {
    pub(super) model: Option<String>,
    /// Instruction sets, by the kernel's names.
    pub(super) flags: Vec<String>,
}

/// /proc/cpuinfo; x86 says `flags`, ARM `Features`.
pub(super) fn processor(text: &str) -> Processor {
    let value = |key: &str| {
        let of_key = |line: &str| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        };
        text.lines().find_map(of_key)
    };
    let flags = value("flags").or_else(|| value("Features")).unwrap_or_default();
    Processor { model: value("model name"), flags: flags.split_whitespace().map(str::to_owned).collect() }
}

/// A line of /proc/meminfo, in bytes.
pub(super) fn meminfo(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let mut words = line.split_whitespace();
    let number: u64 = words.next()?.parse().ok()?;
    match words.next() {
        Some("kB") => number.checked_mul(1024),
        None => Some(number),
        Some(_) => None,
    }
}

/// The driver's version in /proc/driver/nvidia/version: the first word of the form 580.65.06.
pub(super) fn driver_version(text: &str) -> Option<String> {
    let is_version = |word: &&str| {
        word.contains('.')
            && word.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    text.lines().next()?.split_whitespace().find(is_version).map(str::to_owned)
}

/// The model in /proc/driver/nvidia/gpus/*/information.
pub(super) fn gpu_model(text: &str) -> Option<String> {
    text.lines().find_map(|line| Some(line.strip_prefix("Model:")?.trim().to_owned()))
}

/// The folder of a shared library that a process has mapped, from /proc/self/maps.
pub(super) fn mapped_folder(maps: &str, library: &str) -> Option<String> {
    maps.lines().find_map(|line| {
        // Five columns come before the path, which may have spaces in it.
        let path = &line[line.find('/')?..];
        let (folder, name) = path.rsplit_once('/')?;
        (name == library || name.strip_prefix(library).is_some_and(|rest| rest.starts_with('.')))
            .then(|| folder.to_owned())
    })
}

/// The version in the wheel's version.py.
pub(super) fn wheel_version(text: &str) -> Option<String> {
    let line =
        text.lines().find_map(|line| line.strip_prefix("__version__")?.trim_start().strip_prefix('='))?;
    Some(line.trim().trim_matches(['\'', '"']).to_owned())
}

/// The CUDA version that a build of libtorch is for: `2.11.0+cu130` is for 13.0. None for a CPU build.
pub(super) fn cuda_of(version: &str) -> Option<(u32, u32)> {
    let digits = version.split_once("+cu")?.1;
    let split = digits.len().checked_sub(1).filter(|split| *split > 0)?;
    Some((digits.get(..split)?.parse().ok()?, digits.get(split..)?.parse().ok()?))
}

/// A limit in a cgroup's file: `max` and absurdly large numbers are none.
pub(super) fn cgroup_limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|limit| *limit < 1 << 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors() {
        let x86 = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 avx512f\n\nprocessor\t: 1\nflags\t: x\n";
        let found = processor(x86);
        assert_eq!(
            (found.model.as_deref(), found.flags.join(" ")),
            (Some("AMD EPYC"), "fpu avx2 avx512f".into())
        );
        let arm = processor("processor\t: 0\nFeatures\t: fp asimd bf16\n");
        assert_eq!((arm.model, arm.flags.len()), (None, 3));
        assert_eq!(processor(""), Processor::default());
    }

    #[test]
    fn memory() {
        let text = "MemTotal:       24684096 kB\nMemAvailable:   19157740 kB\nHugePages_Total:       3\n";
        assert_eq!(meminfo(text, "MemTotal"), Some(24_684_096 * 1024));
        assert_eq!(meminfo(text, "HugePages_Total"), Some(3));
        assert_eq!(meminfo(text, "Mem"), None);
        assert_eq!(meminfo("MemTotal: x kB", "MemTotal"), None);
        assert_eq!(
            [cgroup_limit("max\n"), cgroup_limit("9223372036854771712"), cgroup_limit("4096\n")],
            [None, None, Some(4096)]
        );
    }

    #[test]
    fn drivers_and_gpus() {
        let old = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version:  12";
        let open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build";
        assert_eq!(driver_version(old).as_deref(), Some("535.129.03"));
        assert_eq!(driver_version(open).as_deref(), Some("580.65.06"));
        assert_eq!(driver_version("nothing here"), None);
        let information = "Model: \t\t NVIDIA H200\nIRQ:   \t\t 0\n";
        assert_eq!(gpu_model(information).as_deref(), Some("NVIDIA H200"));
    }

    #[test]
    fn libtorch() {
        let maps = "7f00-7f01 r-xp 00000000 08:01 12  /usr/lib/libc.so.6\n\
                    7f02-7f03 r-xp 00000000 08:01 13  /my venv/torch/lib/libtorch_cpu.so\n7f04-7f05 rw-p 00000000 00:00 0\n";
        assert_eq!(mapped_folder(maps, "libtorch_cpu.so").as_deref(), Some("/my venv/torch/lib"));
        assert_eq!(mapped_folder(maps, "libc.so").as_deref(), Some("/usr/lib"));
        assert_eq!(mapped_folder(maps, "libtorch"), None);
        let text = "from typing import Optional\n__all__ = ['__version__']\n__version__ = '2.11.0+cu130'\n";
        assert_eq!(wheel_version(text).as_deref(), Some("2.11.0+cu130"));
        assert_eq!(cuda_of("2.11.0+cu130"), Some((13, 0)));
        assert_eq!(cuda_of("2.11.0+cu128"), Some((12, 8)));
        assert_eq!(
            [cuda_of("2.11.0+cpu"), cuda_of("2.11.0"), cuda_of("2.11.0+cu"), cuda_of("2+cué")],
            [None; 4]
        );
    }
}
