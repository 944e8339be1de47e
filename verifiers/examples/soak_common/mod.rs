//! What a soak looks at on the machine: its memory and its processes.

#![allow(dead_code, reason = "each soak uses its own part")]

/// In which `/proc` counts time, whatever the kernel's own clock is.
const TICKS_PER_S: f64 = 100.0;

/// Memory of this process in RAM, in KiB; 0 where the system does not tell.
pub(crate) fn resident_kb() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// The Python itself: a script that looks for one takes longer to start than it does.
pub(crate) fn python() -> Result<String, String> {
    let mut command = std::process::Command::new("python3");
    let output = command.args(["-c", "import sys; print(sys.executable)"]).output();
    let output = output.map_err(|error| format!("python3 cannot be started: {error}; install it"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// How many children of this process have ended and were not waited for.
pub(crate) fn zombies() -> usize {
    let own = std::process::id();
    processes().filter_map(stat).filter(|stat| stat.state == "Z" && stat.parent == own).count()
}

/// How many of these were started by programs in sessions of their own and have lost their parent: where this process
/// has become the parent of such, it is for it to wait for them.
pub(crate) fn orphans() -> usize {
    let own = std::process::id();
    let session = stat(own).map_or(0, |stat| stat.session);
    let is_one = |stat: &Stat| stat.state == "Z" && stat.parent == own && stat.session != session;
    processes().filter_map(stat).filter(is_one).count()
}

/// What `/proc` says of a process.
pub(crate) struct Stat {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) parent: u32,
    pub(crate) session: u32,
    /// Seconds of core time: its own, and those of its children that it waited for.
    pub(crate) core_s: f64,
}

/// None for a process that is gone.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name may hold anything, brackets too.
    let (head, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks: u64 = fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(Stat {
        pid,
        name: head.split_once('(')?.1.to_owned(),
        state: (*fields.first()?).to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        core_s: ticks as f64 / TICKS_PER_S,
    })
}

/// The numbers of all processes.
pub(crate) fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}
