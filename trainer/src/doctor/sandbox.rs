//! The sandbox for programs that a model wrote: which isolation holds, found out by making a box, and the kernel's settings
//! that explain a refusal.

use polestar_verifiers::{SandboxReport, sandbox_report};
use serde_json::json;

use super::{Finding, read};

/// What is asked for where no setting of the kernel refuses namespaces: something around this process does.
const DOCKER: &str = "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
                      --security-opt systempaths=unconfined (or the same with --cap-add SYS_ADMIN, as root)";
const KUBERNETES: &str = "in the pod's spec: hostUsers: false, and for the container securityContext with \
                          seccompProfile: {type: Unconfined}, procMount: Unmasked";
const NO_CONTAINER: &str = "allow unshare and mount in what confines this process (a seccomp or AppArmor profile, a systemd unit's RestrictNamespaces=)";
const CGROUPS: &str = "systemd-run --user --scope -p Delegate=yes polestar ..., Delegate=yes in the unit, or a writable /sys/fs/cgroup in the container";

pub(super) fn findings() -> Vec<Finding> {
    let report = sandbox_report("python3");
    let refusal = refusal_here();
    let mut findings = vec![isolation(&report, refusal), python(&report), cgroups(&report)];
    findings.extend(report.languages.iter().map(|(name, compiler)| language(name, compiler)));
    findings.extend([user_namespaces(refusal), landlock(), seccomp()]);
    findings
}

fn finding(name: &'static str, value: impl Into<String>) -> Finding {
    Finding::good("sandbox", name, value).data(json!({ "available": true }))
}

/// Not there, with what does not work and what mends it.
fn lacking(name: &'static str, value: impl Into<String>, without: &str, mend: impl Into<String>) -> Finding {
    finding(name, value).absent(without, mend).data(json!({ "available": false }))
}

fn isolation(report: &SandboxReport, refusal: Option<Refusal>) -> Finding {
    let data = json!({ "available": report.level.is_some(), "level": report.level });
    let Some(why) = &report.why_not_better else {
        return finding("isolation", report.level.unwrap_or("none")).data(data);
    };
    let mend = match (&report.python, refusal) {
        (Err(_), _) => PYTHON_MEND.to_owned(),
        (_, Some((_, mend))) => mend.to_owned(),
        (_, None) => around_us().to_owned(),
    };
    let (value, without) = match report.level {
        Some(level) => (
            format!("{level}: {why}"),
            "programs that the verifier `code` judges share processes, users and mounts with the machine, under rules",
        ),
        None => (why.clone(), "the verifier `code` runs nothing here (but with isolation = \"none\")"),
    };
    lacking("isolation", value, without, mend).data(data)
}

/// How the container that this runs in, if it is one, allows namespaces.
fn around_us() -> &'static str {
    let is_there = |path: &str| std::path::Path::new(path).exists();
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        KUBERNETES
    } else if is_there("/.dockerenv") || is_there("/run/.containerenv") {
        DOCKER
    } else {
        NO_CONTAINER
    }
}

const PYTHON_MEND: &str =
    "apt-get install python3 (Debian, Ubuntu), or name another in the verifier's setting `python`";

fn python(report: &SandboxReport) -> Finding {
    let name = "Python for programs";
    match &report.python {
        Ok(python) => finding(name, python),
        Err(problem) => lacking(name, problem, "the verifier `code` judges nothing", PYTHON_MEND),
    }
}

fn cgroups(report: &SandboxReport) -> Finding {
    const WITHOUT: &str = "memory and processes of a program are limited one process at a time, not together";
    let name = "cgroups";
    match &report.cgroups {
        Some(Ok(which)) => finding(name, which),
        Some(Err(why)) => lacking(name, why, WITHOUT, CGROUPS),
        None => lacking(name, "not tried without isolation", WITHOUT, "mend the isolation first"),
    }
}

fn language(name: &str, compiler: &Result<std::path::PathBuf, String>) -> Finding {
    let (name, without) = match name {
        "cpp" => ("C++ programs", "the verifier `code` judges no C++"),
        _ => ("Rust programs", "the verifier `code` judges no Rust"),
    };
    match compiler {
        Ok(path) => finding(name, path.display().to_string()),
        Err(problem) => {
            let (found, mend) = problem.split_once("; ").unwrap_or((problem, "install its compiler"));
            lacking(name, found, without, mend)
        }
    }
}

/// Why user namespaces are refused, and the command that allows them.
type Refusal = (&'static str, &'static str);

fn refusal_here() -> Option<Refusal> {
    let number = |path: &str| read(path).and_then(|text| text.parse::<u64>().ok());
    refusal(
        number("/proc/sys/user/max_user_namespaces"),
        number("/proc/sys/kernel/unprivileged_userns_clone"),
        number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    )
}

/// From the three settings that decide; one that a kernel does not have refuses nothing, but for the first.
fn refusal(max: Option<u64>, clone: Option<u64>, apparmor: Option<u64>) -> Option<Refusal> {
    match (max, clone, apparmor) {
        (None, ..) => Some(("not in this kernel", "boot a kernel with CONFIG_USER_NS")),
        (Some(0), ..) => Some(("refused", "sysctl -w user.max_user_namespaces=10000")),
        (_, Some(0), _) => Some(("refused", "sysctl -w kernel.unprivileged_userns_clone=1")),
        (_, _, Some(1)) => {
            Some(("refused by AppArmor", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"))
        }
        _ => None,
    }
}

fn user_namespaces(refusal: Option<Refusal>) -> Finding {
    let name = "user namespaces";
    match refusal {
        None => finding(name, "allowed by the kernel's settings"),
        Some((why, mend)) => lacking(name, why, "the isolation `namespaces`", mend),
    }
}

fn landlock() -> Finding {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with a null attribute, size 0 and the version flag the call reads and writes no memory and makes nothing;
    // it returns the version, or -1 where the kernel has no Landlock.
    let abi = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0_usize, VERSION)
    };
    if abi > 0 {
        return finding("Landlock", format!("version {abi}"));
    }
    lacking(
        "Landlock",
        "not in this kernel, or switched off",
        "the isolation `landlock`, for where namespaces are refused",
        "boot a kernel from 5.13 on with landlock in its lsm= list",
    )
}

fn seccomp() -> Finding {
    let actions = read("/proc/sys/kernel/seccomp/actions_avail");
    let can_kill =
        actions.as_deref().is_some_and(|text| text.split_whitespace().any(|word| word == "kill_process"));
    let value = actions.unwrap_or_else(|| "not in this kernel".into());
    if can_kill {
        return finding("seccomp", value);
    }
    lacking(
        "seccomp",
        value,
        "every isolation, for each has a filter of system calls",
        "boot a kernel from 4.14 on with CONFIG_SECCOMP_FILTER",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    fn report(level: Option<&'static str>, why: Option<&str>) -> SandboxReport {
        SandboxReport {
            level,
            why_not_better: why.map(Into::into),
            python: Ok("3.11.2 at /usr/bin/python3".into()),
            cgroups: level.map(|_| Ok("version 2 for memory and pids at /sys/fs/cgroup".into())),
            languages: Vec::new(),
        }
    }

    #[test]
    fn each_setting_can_refuse_user_namespaces() {
        let mend = |max, clone, apparmor| refusal(max, clone, apparmor).map(|(_, mend)| mend);
        assert_eq!(mend(Some(5), None, None), None);
        assert_eq!(mend(Some(5), Some(1), Some(0)), None);
        assert!(mend(None, None, None).unwrap().contains("CONFIG_USER_NS"));
        assert!(mend(Some(0), Some(1), Some(0)).unwrap().contains("max_user_namespaces"));
        assert!(mend(Some(5), Some(0), Some(0)).unwrap().contains("userns_clone"));
        assert!(mend(Some(5), Some(1), Some(1)).unwrap().contains("apparmor"));
    }

    #[test]
    fn the_isolation_that_holds_decides_what_is_advised() {
        let best = isolation(&report(Some("namespaces"), None), None);
        assert_eq!((best.state, best.value.as_str()), (State::Good, "namespaces"));
        let rules =
            isolation(&report(Some("landlock"), Some("unshare: refused")), refusal(Some(0), None, None));
        assert_eq!((rules.state, rules.value.as_str()), (State::Absent, "landlock: unshare: refused"));
        assert_eq!((&rules.data["level"], &rules.data["available"]), (&json!("landlock"), &json!(true)));
        assert!(rules.mend.unwrap().contains("max_user_namespaces"));
        let none = isolation(&report(None, Some("unshare: refused")), None);
        assert!(none.without.unwrap().contains("runs nothing"));
        assert_eq!(none.mend.as_deref(), Some(around_us()));
        let broken = SandboxReport { python: Err("no python".into()), ..report(None, Some("no python")) };
        assert!(isolation(&broken, None).mend.unwrap().contains("apt-get install python3"));
        assert_eq!(python(&broken).state, State::Absent);
    }

    #[test]
    fn compilers_and_cgroups_that_are_missing_come_with_their_cure() {
        let missing = language("cpp", &Err("there is no program `g++` on the PATH; install it".into()));
        assert_eq!((missing.name, missing.mend.as_deref()), ("C++ programs", Some("install it")));
        assert_eq!(language("rust", &Ok("/usr/bin/rustc".into())).value, "/usr/bin/rustc");
        assert_eq!(cgroups(&report(Some("landlock"), None)).state, State::Good);
        let refused =
            SandboxReport { cgroups: Some(Err("read-only".into())), ..report(Some("landlock"), None) };
        assert!(cgroups(&refused).mend.unwrap().contains("Delegate=yes"));
        assert!(cgroups(&report(None, None)).mend.unwrap().contains("isolation"));
    }
}
