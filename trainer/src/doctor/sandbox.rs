//! The kernel's means of isolating programs: what a sandbox for model-written code could use here.

use serde_json::json;

use super::{Finding, State, read};

/// Why these are looked at although nothing uses them.
const USE: &str = "nothing yet: used by code verifiers that are not there yet";

pub(super) fn findings() -> Vec<Finding> {
    vec![user_namespaces(), cgroups(), landlock(), seccomp()]
}

fn finding(name: &'static str, is_there: bool, value: String, mend: &str) -> Finding {
    let found = Finding::good("sandbox", name, value);
    let found = if is_there { found } else { found.absent(USE, mend) };
    let available = found.state == State::Good;
    found.data(json!({ "available": available }))
}

fn user_namespaces() -> Finding {
    let number = |path: &str| read(path).and_then(|text| text.parse::<u64>().ok());
    let refusal = refusal(
        number("/proc/sys/user/max_user_namespaces"),
        number("/proc/sys/kernel/unprivileged_userns_clone"),
        number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    );
    let value = refusal.map_or("allowed", |(why, _)| why);
    finding("user namespaces", refusal.is_none(), value.into(), refusal.map_or("", |(_, mend)| mend))
}

/// Why unprivileged user namespaces are refused and the command that allows them, from the three settings that decide;
/// one that a kernel does not have refuses nothing, but for the first.
fn refusal(
    max: Option<u64>,
    clone: Option<u64>,
    apparmor: Option<u64>,
) -> Option<(&'static str, &'static str)> {
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

fn cgroups() -> Finding {
    let controllers = read("/sys/fs/cgroup/cgroup.controllers").filter(|text| !text.is_empty());
    let value = controllers.clone().unwrap_or_else(|| "not mounted".into());
    finding(
        "cgroup v2",
        controllers.is_some(),
        value,
        "boot with systemd.unified_cgroup_hierarchy=1, or give the container its cgroups",
    )
}

fn landlock() -> Finding {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with a null attribute, size 0 and the version flag the call reads and writes no memory and makes nothing;
    // it returns the version, or -1 where the kernel has no Landlock.
    let abi = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0_usize, VERSION)
    };
    let value = if abi > 0 { format!("version {abi}") } else { "not in this kernel, or switched off".into() };
    finding("Landlock", abi > 0, value, "boot a kernel from 5.13 on with landlock in its lsm= list")
}

fn seccomp() -> Finding {
    let actions = read("/proc/sys/kernel/seccomp/actions_avail");
    let can_kill =
        actions.as_deref().is_some_and(|text| text.split_whitespace().any(|word| word == "kill_process"));
    let value = actions.unwrap_or_else(|| "not in this kernel".into());
    finding("seccomp", can_kill, value, "boot a kernel from 4.14 on with CONFIG_SECCOMP_FILTER")
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
