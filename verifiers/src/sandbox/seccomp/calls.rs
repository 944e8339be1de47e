//! The system calls by name: which are allowed, refused and deadly. A call that is in no list here and has no rule in
//! `arguments` is answered with "no such call", so that a program takes the older way that the lists know.
//!
//! Each call is in one list only. The numbers differ between machines, the names do not; the calls that only x86_64
//! has are the older forms of others.

use libc::*;

/// Allowed whatever the arguments are.
pub(super) const ALLOWED: &[&[c_long]] = &[FILES, MEMORY, TIME, THREADS, WAITING, SOCKETS, OLD_ALLOWED];

/// Files and what is done with descriptors. What can be reached is decided by the mounts or by Landlock.
const FILES: &[c_long] = &[
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_preadv2,
    SYS_pwritev2,
    SYS_close,
    SYS_close_range,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_lseek,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_getdents64,
    SYS_getcwd,
    SYS_chdir,
    SYS_fchdir,
    SYS_umask,
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_linkat,
    SYS_symlinkat,
    SYS_readlinkat,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fadvise64,
    SYS_readahead,
    SYS_flock,
    SYS_fsync,
    SYS_fdatasync,
    SYS_sync_file_range,
    SYS_sendfile,
    SYS_copy_file_range,
    SYS_splice,
    SYS_tee,
    SYS_vmsplice,
    SYS_getxattr,
    SYS_lgetxattr,
    SYS_fgetxattr,
    SYS_listxattr,
    SYS_llistxattr,
    SYS_flistxattr,
    SYS_inotify_init1,
    SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
];

/// Memory of the program itself. A file in memory can be executed, as one in /tmp can.
const MEMORY: &[c_long] = &[
    SYS_brk,
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_mincore,
    SYS_msync,
    SYS_mlock,
    SYS_mlock2,
    SYS_mlockall,
    SYS_munlock,
    SYS_munlockall,
    SYS_mseal,
    SYS_memfd_create,
    SYS_pkey_alloc,
    SYS_pkey_free,
    SYS_pkey_mprotect,
    SYS_get_mempolicy,
    SYS_membarrier,
];

/// Clocks can be read and waited for, not set.
const TIME: &[c_long] = &[
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_times,
    SYS_getitimer,
    SYS_setitimer,
    SYS_timer_create,
    SYS_timer_delete,
    SYS_timer_getoverrun,
    SYS_timer_gettime,
    SYS_timer_settime,
    SYS_timerfd_create,
    SYS_timerfd_gettime,
    SYS_timerfd_settime,
];

/// Threads, processes and what they may know of themselves. Limits can only be lowered without capabilities.
const THREADS: &[c_long] = &[
    SYS_execve,
    SYS_execveat,
    SYS_exit,
    SYS_exit_group,
    SYS_wait4,
    SYS_waitid,
    SYS_pidfd_open,
    SYS_set_tid_address,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_futex,
    SYS_futex_waitv,
    SYS_restart_syscall,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getpgid,
    SYS_getsid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getresuid,
    SYS_getresgid,
    SYS_getgroups,
    SYS_capget,
    SYS_getcpu,
    SYS_getrandom,
    SYS_getrlimit,
    SYS_setrlimit,
    SYS_getrusage,
    SYS_getpriority,
    SYS_ioprio_get,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_getattr,
    SYS_sched_getparam,
    SYS_sched_getscheduler,
    SYS_sched_get_priority_max,
    SYS_sched_get_priority_min,
    SYS_sched_rr_get_interval,
    SYS_sysinfo,
    SYS_uname,
];

/// Signals that the program gets, and waiting on descriptors.
const WAITING: &[c_long] = &[
    SYS_rt_sigaction,
    SYS_rt_sigpending,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigsuspend,
    SYS_rt_sigtimedwait,
    SYS_sigaltstack,
    SYS_signalfd4,
    SYS_ppoll,
    SYS_pselect6,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_epoll_pwait2,
    SYS_eventfd2,
];

/// What is done with the two ends of a socketpair. No other socket can be made.
const SOCKETS: &[c_long] = &[
    SYS_sendto,
    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_recvmmsg,
    SYS_shutdown,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_getsockname,
    SYS_getpeername,
];

#[cfg(target_arch = "x86_64")]
const OLD_ALLOWED: &[c_long] = &[
    SYS_creat,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_dup2,
    SYS_pipe,
    SYS_getdents,
    SYS_mkdir,
    SYS_rmdir,
    SYS_unlink,
    SYS_rename,
    SYS_link,
    SYS_symlink,
    SYS_readlink,
    SYS_inotify_init,
    SYS_time,
    SYS_alarm,
    SYS_fork,
    SYS_vfork,
    SYS_getpgrp,
    SYS_arch_prctl,
    SYS_pause,
    SYS_signalfd,
    SYS_poll,
    SYS_select,
    SYS_epoll_create,
    SYS_epoll_wait,
    SYS_eventfd,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_ALLOWED: &[c_long] = &[];

/// Refused with EPERM: an ordinary program may try them and live on, as it does for an ordinary user.
pub(super) const REFUSED: &[&[c_long]] = &[REFUSED_EVERYWHERE, OLD_REFUSED];

const REFUSED_EVERYWHERE: &[c_long] = &[
    // The network.
    SYS_socket,
    SYS_bind,
    SYS_connect,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    // Who the program is. Without capabilities these do nothing; refused all the same.
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_capset,
    // The machine.
    SYS_chroot,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_syslog,
    SYS_acct,
    SYS_quotactl,
    SYS_vhangup,
    // These write back what every program of the machine has written.
    SYS_sync,
    SYS_syncfs,
    // Parts of the kernel that programs probe for and do well without.
    SYS_perf_event_open,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_fanotify_init,
    SYS_fanotify_mark,
    SYS_seccomp,
    // Where pages lie, of this program and of others.
    SYS_mbind,
    SYS_set_mempolicy,
    SYS_migrate_pages,
    SYS_move_pages,
];

#[cfg(target_arch = "x86_64")]
const OLD_REFUSED: &[c_long] = &[SYS_iopl, SYS_ioperm];
#[cfg(not(target_arch = "x86_64"))]
const OLD_REFUSED: &[c_long] = &[];

/// The end of the program: nothing that solves a problem calls these.
pub(super) const DEADLY: &[&[c_long]] = &[&[
    // Reaching into other processes.
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_pidfd_getfd,
    SYS_kcmp,
    // Taking the walls down. (`unshare` has a rule.)
    SYS_mount,
    SYS_umount2,
    SYS_move_mount,
    SYS_mount_setattr,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_pivot_root,
    SYS_setns,
    SYS_open_by_handle_at,
    // Reaching into the kernel.
    SYS_bpf,
    SYS_userfaultfd,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
]];

/// Signals, and the groups that signals are sent to. Refused where the program sees processes that are not its own.
pub(super) const SIGNALS: &[c_long] = &[
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal,
    SYS_setpgid,
];

/// A session of its own, which for a process is a group of its own as well. Lean's language server ends where it cannot have
/// one for the process that it starts, and does nothing with it.
pub(super) const SESSIONS: &[c_long] = &[SYS_setsid];

/// Memory, queues and semaphores that outlive a process and have names. Refused where the names are the machine's.
pub(super) const NAMED_IPC: &[c_long] = &[
    SYS_shmget,
    SYS_shmat,
    SYS_shmdt,
    SYS_shmctl,
    SYS_semget,
    SYS_semop,
    SYS_semtimedop,
    SYS_semctl,
    SYS_msgget,
    SYS_msgsnd,
    SYS_msgrcv,
    SYS_msgctl,
    SYS_mq_open,
    SYS_mq_unlink,
    SYS_mq_timedsend,
    SYS_mq_timedreceive,
    SYS_mq_notify,
    SYS_mq_getsetattr,
];

/// What files are called, whose they are and what may be done to them, apart from what is in them: Landlock has no rules
/// for that. Refused where the files are the machine's.
pub(super) const ATTRIBUTES: &[&[c_long]] = &[
    &[
        // Landlock has a rule for it since its version 3. Files that are open for writing are cut by another call.
        SYS_truncate,
        SYS_fchmod,
        SYS_fchmodat,
        SYS_fchmodat2,
        SYS_fchown,
        SYS_fchownat,
        SYS_utimensat,
        SYS_setxattr,
        SYS_lsetxattr,
        SYS_fsetxattr,
        SYS_removexattr,
        SYS_lremovexattr,
        SYS_fremovexattr,
        // Its flags cannot be looked at.
        SYS_openat2,
    ],
    #[cfg(target_arch = "x86_64")]
    &[SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat],
];
