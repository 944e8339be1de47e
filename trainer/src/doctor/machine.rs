//! Processor, memory, disk.

use serde_json::json;

use super::{Finding, gb, parse, read};

/// Instruction sets that make matrix products fast, by the kernel's names, the most important first.
const X86_FEATURES: [&str; 5] = ["avx2", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16"];
/// Less free disk than this is soon full of checkpoints: one of the smallest supported real models has about 2 GB with
/// its optimizer.
const LITTLE_DISK: u64 = 5_000_000_000;
/// Training the smallest real models takes about so much.
const LITTLE_MEMORY: u64 = 4_000_000_000;

pub(super) fn findings() -> Vec<Finding> {
    vec![processor(), memory(), disk()]
}

fn processor() -> Finding {
    let found = read("/proc/cpuinfo").map(|text| parse::processor(&text)).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (has, lacks): (Vec<&str>, Vec<&str>) =
        X86_FEATURES.into_iter().partition(|feature| found.flags.iter().any(|flag| flag == feature));
    let is_x86 = cfg!(target_arch = "x86_64");
    let features = match (is_x86, has.is_empty(), lacks.is_empty()) {
        (false, ..) => String::new(),
        (true, true, _) => format!("; without {}", lacks.join(", ")),
        (true, false, true) => format!("; with {}", has.join(", ")),
        (true, false, false) => format!("; with {}; without {}", has.join(", "), lacks.join(", ")),
    };
    let model = found.model.as_deref().unwrap_or(std::env::consts::ARCH);
    let data = json!({ "model": found.model, "cores": cores, "features": has });
    let finding = Finding::good("machine", "CPU", format!("{model}, {cores} cores{features}")).data(data);
    if is_x86 && !has.contains(&"avx2") {
        return finding.absent(
            "everything works, several times slower",
            "run on a processor with AVX2; in a virtual machine, pass the host's processor through",
        );
    }
    finding
}

/// Bytes of memory that a new process can have, as far as the system tells: what is available, or what a container's
/// limit or the limit on a process's address space leaves.
#[must_use]
pub fn available_memory() -> Option<u64> {
    let available = parse::meminfo(&read("/proc/meminfo")?, "MemAvailable")?;
    let limits = [limit(), address_space_limit()];
    Some(limits.into_iter().flatten().fold(available, u64::min))
}

/// The limit on this process's address space (`ulimit -v`), in bytes.
#[must_use]
pub fn address_space_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

/// The memory limit of this process's container.
fn limit() -> Option<u64> {
    let files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    files.into_iter().find_map(|file| parse::cgroup_limit(&read(file)?))
}

fn memory() -> Finding {
    let total = read("/proc/meminfo").and_then(|text| parse::meminfo(&text, "MemTotal"));
    let (available, limit) =
        (available_memory(), limit().filter(|limit| total.is_none_or(|total| *limit < total)));
    let words = |bytes: Option<u64>| bytes.map_or_else(|| "unknown".into(), gb);
    let mut value = format!("{}, {} of it available", words(total), words(available));
    if let Some(limit) = limit {
        value.push_str(&format!("; the container's limit is {}", gb(limit)));
    }
    let data = json!({ "total_bytes": total, "available_bytes": available, "limit_bytes": limit });
    let finding = Finding::good("machine", "memory", value).data(data);
    match available {
        Some(bytes) if bytes < LITTLE_MEMORY => finding.absent(
            "only very small models can be trained",
            "end other programs, or see what a run needs with `polestar train RECIPE.toml --dry-run`",
        ),
        _ => finding,
    }
}

fn disk() -> Finding {
    let free = rustix::fs::statvfs(".").ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    let value = free.map_or_else(|| "unknown".into(), |free| format!("{} free here", gb(free)));
    let finding = Finding::good("machine", "disk", value).data(json!({ "free_bytes": free }));
    match free {
        Some(bytes) if bytes < LITTLE_DISK => finding.absent(
            "checkpoints will soon not fit; a run then stops without damage",
            "free space, lower checkpoint.keep, or choose another disk with --run DIR",
        ),
        _ => finding,
    }
}
