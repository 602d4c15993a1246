#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "process/sandbox.h"

/*
 * Calls of a running gateway, of SQLite, OpenSSL and glibc, and those that glibc uses instead on
 * other kernels and processors. Names that this machine does not have are left out.
 */
static const char *const allowed[] = {
	/* memory */
	"brk",
	"madvise",
	"membarrier",
	"mincore",
	"mlock",
	"mremap",
	"munlock",
	"munmap",
	/* threads */
	"exit",
	"exit_group",
	"futex",
	"futex_time64",
	"get_robust_list",
	"getcpu",
	"gettid",
	"rseq",
	"sched_get_priority_max",
	"sched_get_priority_min",
	"sched_getaffinity",
	"sched_getparam",
	"sched_getscheduler",
	"sched_yield",
	"set_robust_list",
	"set_tid_address",
	/* files; Landlock says which */
	"_llseek",
	"access",
	"chmod",
	"chown",
	"close",
	"close_range",
	"copy_file_range",
	"dup",
	"dup2",
	"dup3",
	"faccessat",
	"faccessat2",
	"fadvise64",
	"fadvise64_64",
	"fallocate",
	"fchmod",
	"fchmodat",
	"fchown",
	"fchown32",
	"fcntl",
	"fcntl64",
	"fdatasync",
	"flock",
	"fstat",
	"fstat64",
	"fstatat64",
	"fstatfs",
	"fstatfs64",
	"fsync",
	"ftruncate",
	"ftruncate64",
	"getcwd",
	"getdents",
	"getdents64",
	"ioctl",
	"link",
	"linkat",
	"lseek",
	"lstat",
	"lstat64",
	"mkdir",
	"mkdirat",
	"newfstatat",
	"open",
	"openat",
	"openat2",
	"pread64",
	"preadv",
	"preadv2",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"read",
	"readahead",
	"readlink",
	"readlinkat",
	"readv",
	"rename",
	"renameat",
	"renameat2",
	"rmdir",
	"sendfile",
	"sendfile64",
	"splice",
	"stat",
	"stat64",
	"statfs",
	"statfs64",
	"statx",
	"sync_file_range",
	"truncate",
	"truncate64",
	"umask",
	"unlink",
	"unlinkat",
	"utimensat",
	"utimensat_time64",
	"write",
	"writev",
	/* existing sockets, and those that they accept */
	"accept",
	"accept4",
	"getpeername",
	"getsockname",
	"getsockopt",
	"recv",
	"recvfrom",
	"recvmmsg",
	"recvmsg",
	"send",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"setsockopt",
	"shutdown",
	"socketpair",
	/* waiting */
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd2",
	"pipe",
	"pipe2",
	"poll",
	"ppoll",
	"ppoll_time64",
	"pselect6",
	"pselect6_time64",
	"select",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_settime64",
	/* time */
	"clock_getres",
	"clock_getres_time64",
	"clock_gettime",
	"clock_gettime64",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"gettimeofday",
	"nanosleep",
	"time",
	"times",
	/* signals */
	"kill",
	"pause",
	"restart_syscall",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigsuspend",
	"rt_sigtimedwait",
	"rt_sigtimedwait_time64",
	"sigaltstack",
	"sigreturn",
	"tgkill",
	/* itself */
	"arch_prctl",
	"getegid",
	"geteuid",
	"getgid",
	"getpgrp",
	"getpid",
	"getppid",
	"getpriority",
	"getrandom",
	"getrlimit",
	"getrusage",
	"getsid",
	"getuid",
	"prctl",
	"prlimit64",
	"sysinfo",
	"ugetrlimit",
	"uname",
};

#define NOT_EXECUTABLE SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)

static void release(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

/*
 * For connections of libpq; before these glibc looks up addresses, also those of the kernel
 * (AF_NETLINK).
 */
static int allow_connecting(scmp_filter_ctx filter)
{
	static const int families[] = { AF_INET, AF_INET6, AF_NETLINK };

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0_32(SCMP_CMP_EQ, (unsigned)families[i])) < 0)
			return -1;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0) < 0 ||
			       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(bind), 0) < 0
		       ? -1
		       : 0;
}

static int allow(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		int call = seccomp_syscall_resolve_name(allowed[i]);

		if (call != __NR_SCMP_ERROR &&
		    seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) < 0)
			return -1;
	}
	/* Messages to systemd go over a Unix socket. */
	if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			     SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX)) < 0)
		return -1;
	/* Memory cannot become executable. */
	if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, NOT_EXECUTABLE) < 0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap2), 1, NOT_EXECUTABLE) < 0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, NOT_EXECUTABLE) < 0)
		return -1;
	/* Threads, not processes. glibc asks for clone3 first, whose flags a filter cannot see. */
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) < 0 ||
			       seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
						0) < 0
		       ? -1
		       : 0;
}

enum sandbox_result sandbox_calls(bool connects, struct err *err)
{
	CLEANUP(release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!filter || allow(filter) < 0 || (connects && allow_connecting(filter) < 0) ||
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) < 0 ||
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0) {
		err_set(err, ERR_SYSTEM, 0, "libseccomp does not take the list of system calls");
		return SANDBOX_MISSING;
	}
	r = seccomp_load(filter);
	if (r == 0)
		return SANDBOX_ON;
	err_set(err, ERR_SYSTEM, 0, "seccomp: %s", strerrordesc_np(-r));
	return SANDBOX_MISSING;
}
