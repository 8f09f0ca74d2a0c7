"""The system calls that a program may make, as a seccomp filter: a list of what is allowed, everything else fails with EPERM.

A run is one process. It may make threads but not processes, start no program, open no socket but a pair of its own, and signal only itself.
The filter is classic BPF (`linux/filter.h`, `linux/seccomp.h`); numbers are those of `asm/unistd.h`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from typing import NamedTuple

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""`AUDIT_ARCH_*` by machine. Any other call convention (32 bits, x32) kills the process."""

_X86_64 = {
    "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10,
    "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "ioctl": 16, "pread64": 17, "pwrite64": 18,
    "readv": 19, "writev": 20, "access": 21, "pipe": 22, "select": 23, "sched_yield": 24, "mremap": 25, "msync": 26, "madvise": 28,
    "dup": 32, "dup2": 33, "pause": 34, "nanosleep": 35, "getitimer": 36, "alarm": 37, "setitimer": 38, "getpid": 39, "sendfile": 40,
    "sendto": 44, "recvfrom": 45, "shutdown": 48, "getsockname": 51, "socketpair": 53, "setsockopt": 54, "getsockopt": 55, "clone": 56,
    "exit": 60, "wait4": 61, "uname": 63, "fcntl": 72, "flock": 73, "fsync": 74, "fdatasync": 75, "truncate": 76, "ftruncate": 77,
    "getcwd": 79, "chdir": 80, "fchdir": 81, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "symlink": 88,
    "readlink": 89, "chmod": 90, "fchmod": 91, "umask": 95, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99,
    "times": 100, "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110, "getgroups": 115, "rt_sigpending": 127,
    "rt_sigtimedwait": 128, "rt_sigsuspend": 130, "sigaltstack": 131, "utime": 132, "statfs": 137, "fstatfs": 138, "prctl": 157,
    "gettid": 186, "getxattr": 191, "lgetxattr": 192, "fgetxattr": 193, "listxattr": 194, "llistxattr": 195, "flistxattr": 196,
    "time": 201, "futex": 202, "sched_getaffinity": 204, "epoll_create": 213, "getdents64": 217, "set_tid_address": 218,
    "restart_syscall": 219, "fadvise64": 221, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
    "epoll_wait": 232, "epoll_ctl": 233, "tgkill": 234, "utimes": 235, "openat": 257, "mkdirat": 258, "newfstatat": 262, "unlinkat": 263,
    "renameat": 264, "linkat": 265, "symlinkat": 266, "readlinkat": 267, "fchmodat": 268, "faccessat": 269, "pselect6": 270,
    "ppoll": 271, "set_robust_list": 273, "utimensat": 280, "epoll_pwait": 281, "fallocate": 285, "eventfd2": 290, "epoll_create1": 291,
    "dup3": 292, "pipe2": 293, "prlimit64": 302, "getcpu": 309, "renameat2": 316, "getrandom": 318, "membarrier": 324,
    "copy_file_range": 326, "statx": 332, "rseq": 334, "clone3": 435, "close_range": 436, "faccessat2": 439,
}  # fmt: skip
_AARCH64 = {
    "getxattr": 8, "lgetxattr": 9, "fgetxattr": 10, "listxattr": 11, "llistxattr": 12, "flistxattr": 13, "getcwd": 17, "eventfd2": 19,
    "epoll_create1": 20, "epoll_ctl": 21, "epoll_pwait": 22, "dup": 23, "dup3": 24, "fcntl": 25, "ioctl": 29, "flock": 32, "mkdirat": 34,
    "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "statfs": 43, "fstatfs": 44, "truncate": 45, "ftruncate": 46,
    "fallocate": 47, "faccessat": 48, "chdir": 49, "fchdir": 50, "fchmod": 52, "fchmodat": 53, "openat": 56, "close": 57, "pipe2": 59,
    "getdents64": 61, "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66, "pread64": 67, "pwrite64": 68, "sendfile": 71,
    "pselect6": 72, "ppoll": 73, "readlinkat": 78, "newfstatat": 79, "fstat": 80, "fsync": 82, "fdatasync": 83, "utimensat": 88,
    "exit": 93, "exit_group": 94, "set_tid_address": 96, "futex": 98, "set_robust_list": 99, "nanosleep": 101, "getitimer": 102,
    "setitimer": 103, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "sched_getaffinity": 123, "sched_yield": 124,
    "restart_syscall": 128, "tgkill": 131, "sigaltstack": 132, "rt_sigsuspend": 133, "rt_sigaction": 134, "rt_sigprocmask": 135,
    "rt_sigpending": 136, "rt_sigtimedwait": 137, "rt_sigreturn": 139, "times": 153, "getgroups": 158, "uname": 160, "getrusage": 165,
    "umask": 166, "prctl": 167, "getcpu": 168, "gettimeofday": 169, "getpid": 172, "getppid": 173, "getuid": 174, "geteuid": 175,
    "getgid": 176, "getegid": 177, "gettid": 178, "sysinfo": 179, "socketpair": 199, "getsockname": 204, "sendto": 206, "recvfrom": 207,
    "setsockopt": 208, "getsockopt": 209, "shutdown": 210, "brk": 214, "munmap": 215, "mremap": 216, "clone": 220, "mmap": 222,
    "fadvise64": 223, "mprotect": 226, "msync": 227, "madvise": 233, "wait4": 260, "prlimit64": 261, "renameat2": 276, "getrandom": 278,
    "membarrier": 283, "copy_file_range": 285, "statx": 291, "rseq": 293, "clone3": 435, "close_range": 436, "faccessat2": 439,
}  # fmt: skip
NUMBERS = {"x86_64": _X86_64, "aarch64": _AARCH64}
"""Numbers of the calls that are allowed, some of them with conditions, by machine."""

AF_UNIX = 1
CLONE_THREAD = 0x00010000
CLONE_NEW = 0x7E020080
"""Every `CLONE_NEW*` flag: time, mount, cgroup, uts, ipc, user, pid and network namespaces."""
PR_SET_NAME, PR_GET_NAME, PR_SET_VMA = 15, 16, 0x53564D41
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
TERMINAL_READS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX and FIOCLEX: what Python asks of files it opens."""

FILE_COMMANDS = (*range(8), 36, 37, 38, 1030, 1032)
"""Of fcntl: duplicates, flags, locks, and the size of a pipe; not whom a file sends signals to, nor larger pipes."""

_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE = 0, 4


class Step(NamedTuple):
    """One BPF instruction."""

    code: int
    if_true: int
    if_false: int
    value: int


def program(machine: str, pid: int) -> list[Step]:
    """The filter for a process on this machine. Raises KeyError for a machine whose calls are not known here."""
    numbers = NUMBERS[machine]
    denied = Step(_RETURN, 0, 0, _ERRNO | errno.EPERM)
    allowed = Step(_RETURN, 0, 0, _ALLOW)
    steps = [
        Step(_LOAD, 0, 0, _ARCHITECTURE),
        Step(_EQUAL, 1, 0, ARCHITECTURES[machine]),
        Step(_RETURN, 0, 0, _KILL),
        Step(_LOAD, 0, 0, _NUMBER),
        Step(_GREATER_EQUAL, 0, 1, 0x40000000),
        Step(_RETURN, 0, 0, _KILL),
    ]
    conditions: dict[str, list[Step]] = {
        "clone": [
            *_argument(0),
            Step(_ANY_BIT, 2, 0, CLONE_NEW),
            Step(_ANY_BIT, 0, 1, CLONE_THREAD),
            allowed,
            denied,
        ],
        # Its flags lie in memory, where a filter cannot look; libc takes `clone` when there is no `clone3`.
        "clone3": [Step(_RETURN, 0, 0, _ERRNO | errno.ENOSYS)],
        "socketpair": _one_of(0, [AF_UNIX]),
        "tgkill": _one_of(0, [pid]),
        "ioctl": _one_of(1, TERMINAL_READS),
        "fcntl": _one_of(1, FILE_COMMANDS),
        "prctl": _one_of(0, [PR_SET_NAME, PR_GET_NAME, PR_SET_VMA]),
        "prlimit64": [*_one_of(2, [0], high=True)],
    }
    for name, number in numbers.items():
        if name not in conditions:
            steps += [Step(_EQUAL, 0, 1, number), allowed]
    for name, condition in conditions.items():
        steps += [Step(_EQUAL, 0, len(condition), numbers[name]), *condition]
    return [*steps, denied]


def _argument(index: int, *, high: bool = False) -> list[Step]:
    """Loads the lower (or higher) 32 bits of an argument."""
    return [Step(_LOAD, 0, 0, 16 + 8 * index + (4 if high else 0))]


def _one_of(index: int, values: tuple[int, ...] | list[int], *, high: bool = False) -> list[Step]:
    """Allows the call if an argument is one of these values; with `high`, all 64 bits of it must be the single value 0."""
    steps: list[Step] = []
    if high:
        steps += [*_argument(index, high=True), Step(_EQUAL, 1, 0, 0), Step(_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    steps += _argument(index)
    for value in values:
        steps += [Step(_EQUAL, 0, 1, value), Step(_RETURN, 0, 0, _ALLOW)]
    return [*steps, Step(_RETURN, 0, 0, _ERRNO | errno.EPERM)]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def install() -> None:
    """Put this process, which must have one thread, under the filter for good. Raises OSError when the kernel does not take it."""
    steps = program(platform.machine(), os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    whole = _Program(len(steps), ctypes.addressof(code))
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(whole), 0, 0)):
        if prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), f"prctl({arguments[0]}): {os.strerror(ctypes.get_errno())}")
