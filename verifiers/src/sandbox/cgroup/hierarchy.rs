//! Where the kernel's tree of cgroups is mounted and where in it this process stands, from the texts of
//! `/proc/self/cgroup` and `/proc/self/mountinfo`.
//!
//! Version 2 has one tree. Version 1 has a tree for each controller, or for some together. Many machines mount both:
//! a controller is then in one of them, and an empty version 2 is a common sight.

use std::path::{Path, PathBuf};

/// What is asked of a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    /// Limits bytes.
    Memory,
    /// Limits processes and threads.
    Pids,
}

impl Controller {
    pub(super) const ALL: [Self; 2] = [Self::Memory, Self::Pids];

    /// As the kernel calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
        }
    }
}

/// A mounted tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    /// The folder that it is mounted on: the top of what can be seen of it.
    pub(super) mount: PathBuf,
    /// The folder of the cgroup that this process is in, where that is below the mount.
    pub(super) own: Option<PathBuf>,
}

/// The trees of this machine that matter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hierarchies {
    /// Version 2.
    pub(super) unified: Option<Hierarchy>,
    /// Version 1 with the controller for memory.
    pub(super) memory: Option<Hierarchy>,
    /// Version 1 with the controller for tasks.
    pub(super) pids: Option<Hierarchy>,
}

impl Hierarchies {
    /// From the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`. Lines that make no sense are left out.
    pub(super) fn parse(cgroup: &str, mountinfo: &str) -> Self {
        let mut found = Self::default();
        for mount in mountinfo.lines().filter_map(Mount::parse) {
            let put = |slot: &mut Option<Hierarchy>, controller: &str| {
                // Of two mounts of one tree the first will do.
                slot.get_or_insert_with(|| mount.hierarchy(own_path(cgroup, controller)));
            };
            match mount.kind {
                "cgroup2" => put(&mut found.unified, ""),
                "cgroup" => {
                    for controller in Controller::ALL {
                        if mount.options.split(',').any(|option| option == controller.name()) {
                            let slot = match controller {
                                Controller::Memory => &mut found.memory,
                                Controller::Pids => &mut found.pids,
                            };
                            put(slot, controller.name());
                        }
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// The tree of version 1 with this controller.
    pub(super) fn separate(&self, controller: Controller) -> Option<&Hierarchy> {
        match controller {
            Controller::Memory => self.memory.as_ref(),
            Controller::Pids => self.pids.as_ref(),
        }
    }
}

/// The path of the process in the tree that has this controller; no name is version 2. The lines are
/// `number:controllers:path`.
fn own_path<'a>(cgroup: &'a str, controller: &str) -> Option<&'a str> {
    cgroup.lines().find_map(|line| {
        let (number, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let here = if controller.is_empty() {
            number == "0" && controllers.is_empty()
        } else {
            controllers.split(',').any(|other| other == controller)
        };
        here.then_some(path)
    })
}

/// A line of `mountinfo`: number, parent, device, root, folder, options, any number of marks, `-`, kind, source,
/// options of the kind.
struct Mount<'a> {
    /// The path in the mounted tree that is at the folder.
    root: String,
    folder: String,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (common, of_kind) = line.split_once(" - ")?;
        let mut common = common.split(' ').skip(3);
        let (root, folder) = (unescape(common.next()?), unescape(common.next()?));
        let mut of_kind = of_kind.split(' ');
        let (kind, _source, options) = (of_kind.next()?, of_kind.next()?, of_kind.next()?);
        Some(Self { root, folder, kind, options })
    }

    fn hierarchy(&self, own: Option<&str>) -> Hierarchy {
        let mount = PathBuf::from(&self.folder);
        let below = own.and_then(|own| Path::new(own).strip_prefix(&self.root).ok());
        // A process outside of what the namespace shows has a path that goes up.
        let below = below.filter(|path| !path.components().any(|part| part.as_os_str() == ".."));
        Hierarchy { own: below.map(|path| mount.join(path)), mount }
    }
}

/// White space and backslashes in a path are written as a backslash and three octal digits.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(3).unwrap_or(("", part));
        match u8::from_str_radix(digits, 8) {
            Ok(byte) => plain.push(char::from(byte)),
            Err(_) => plain.extend(["\\", digits]),
        }
        plain.push_str(rest);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(mount: &str, own: Option<&str>) -> Option<Hierarchy> {
        Some(Hierarchy { mount: mount.into(), own: own.map(Into::into) })
    }

    #[test]
    fn version_2_alone() {
        let cgroup = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope\n";
        let mountinfo = "\
            24 30 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw\n\
            30 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro\n\
            35 25 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
        let own = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope";
        let expected = Hierarchies { unified: tree("/sys/fs/cgroup", Some(own)), ..Hierarchies::default() };
        assert_eq!(Hierarchies::parse(cgroup, mountinfo), expected);
    }

    #[test]
    fn version_2_in_a_container() {
        let mountinfo = "1016 1015 0:29 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate\n";
        let found = Hierarchies::parse("0::/\n", mountinfo);
        assert_eq!(found.unified, tree("/sys/fs/cgroup", Some("/sys/fs/cgroup/")));
        // The process was moved out of what the container sees.
        let found = Hierarchies::parse("0::/../other\n", mountinfo);
        assert_eq!(found.unified, tree("/sys/fs/cgroup", None));
    }

    #[test]
    fn version_1_in_a_container() {
        let cgroup = "\
            12:pids:/docker/9f2c\n\
            7:cpu,cpuacct:/docker/9f2c\n\
            5:memory:/docker/9f2c\n\
            1:name=systemd:/docker/9f2c\n\
            0::/system.slice/containerd.service\n";
        let mountinfo = "\
            901 890 0:50 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755\n\
            905 901 0:31 /docker/9f2c /sys/fs/cgroup/cpu,cpuacct ro,relatime master:15 - cgroup cgroup rw,cpu,cpuacct\n\
            908 901 0:34 /docker/9f2c /sys/fs/cgroup/memory ro,relatime master:18 - cgroup cgroup rw,memory\n\
            911 901 0:37 /docker/9f2c /sys/fs/cgroup/pids ro,relatime master:21 propagate_from:3 - cgroup cgroup rw,pids\n";
        let found = Hierarchies::parse(cgroup, mountinfo);
        assert_eq!(found.unified, None);
        assert_eq!(found.memory, tree("/sys/fs/cgroup/memory", Some("/sys/fs/cgroup/memory/")));
        assert_eq!(found.pids, tree("/sys/fs/cgroup/pids", Some("/sys/fs/cgroup/pids/")));
    }

    #[test]
    fn both_versions() {
        let cgroup = "8:pids:/\n4:memory:/jobs/a1\n1:cpu:/\n0::/\n";
        let mountinfo = "\
            31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
            35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
            39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        let expected = Hierarchies {
            unified: tree("/sys/fs/cgroup/unified", Some("/sys/fs/cgroup/unified/")),
            memory: tree("/sys/fs/cgroup/memory", Some("/sys/fs/cgroup/memory/jobs/a1")),
            pids: tree("/sys/fs/cgroup/pids", Some("/sys/fs/cgroup/pids/")),
        };
        assert_eq!(Hierarchies::parse(cgroup, mountinfo), expected);
    }

    #[test]
    fn one_tree_for_both_controllers() {
        let found = Hierarchies::parse(
            "3:memory,pids:/a\n",
            "40 31 0:40 / /cgroup/all\\040of\\134it rw - cgroup none rw,pids,memory\n",
        );
        assert_eq!(found.memory, tree("/cgroup/all of\\it", Some("/cgroup/all of\\it/a")));
        assert_eq!(found.memory, found.pids);
    }

    #[test]
    fn nothing_and_rubbish() {
        assert_eq!(Hierarchies::parse("", ""), Hierarchies::default());
        let rubbish = ":::\n\u{1f980}\n - \n1 2 3 - cgroup2\n1 2 3 4 5 - cgroup\n - cgroup cgroup memory\n";
        assert_eq!(Hierarchies::parse(rubbish, rubbish), Hierarchies::default());
        assert_eq!(unescape("a\\9b\\\u{e9}\u{e9}\\"), "a\\9b\\\u{e9}\u{e9}\\");
    }
}
