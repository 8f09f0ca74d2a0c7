"""How a process gives up what a program must not have: its own namespaces, limits, capabilities, and the system calls it needs no more."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from typing import NamedTuple

from . import seccomp

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 1 << 14, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 1, 4, 24, 47, 4
NOBODY = 65534


class Limits(NamedTuple):
    """What one run may use: bytes of memory and disk, seconds of processor time, threads, open files."""

    memory: int
    disk: int
    cpu: int
    threads: int
    open_files: int


def _checked(what: str, result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the process that forked it ends."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def become_nobody() -> None:
    """Leave root's account, which no limit on processes and no file's permissions bind. Nothing where this is not root."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        # A process that changed its account may not open its own /proc files, which `enter_namespaces` writes to.
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def enter_namespaces(folder: str, disk: int) -> None:
    """Move this process and the next that it forks into namespaces of their own, with a new, empty `folder` of at most `disk` bytes.

    The processes and the files of other runs are out of reach from there, and /proc is hidden. Raises OSError.
    """
    user, group = os.getuid(), os.getgid()
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP
    _checked("unshare", libc.unshare(flags))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    _mount("none", "/", None, MS_REC | MS_PRIVATE, None)
    _mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, f"size={disk},nr_inodes=10000,mode=0700")
    _mount("tmpfs", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=0555")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind, options)]
    _checked(f"mount {target}", libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]))


def counts_by_namespace() -> bool:
    """Whether this kernel counts processes by user namespace (Linux 5.14): else other programs of the account would use up the limit."""
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (5, 14)


def give_up(limits: Limits, used_memory: int, *, threads_are_counted: bool) -> None:
    """Take from this process, for good, all that a program does not need. Raises OSError.

    `used_memory`: address space it has already. `threads_are_counted`: whether the limit of threads is that of this run alone; where it
    is not, memory bounds them.
    """
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NICE, 0),
        (resource.RLIMIT_RTPRIO, 0),
        (resource.RLIMIT_NPROC, limits.threads if threads_are_counted else resource.getrlimit(resource.RLIMIT_NPROC)[1]),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_FSIZE, limits.disk),
        (resource.RLIMIT_CPU, limits.cpu),
        (resource.RLIMIT_AS, used_memory + limits.memory),
    ):
        resource.setrlimit(limit, (value, value))
    _drop_capabilities()
    seccomp.install()


def _drop_capabilities() -> None:
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    capability = 0
    while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    none = (ctypes.c_uint32 * 6)()
    _checked("capset", libc.capset(header, none))
