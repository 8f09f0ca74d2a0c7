"""The filter of system calls, run step by step as the kernel would, also for the machine that this is not."""

from __future__ import annotations

import errno

import pytest

from heliograph.agents.sandbox.inside import seccomp
from heliograph.agents.sandbox.inside.seccomp import ARCHITECTURES, NUMBERS, program

PID = 7
ALLOW, DENY, KILL = "allow", errno.EPERM, "kill"
MACHINES = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


def verdict(machine: str, number: int, *arguments: int, architecture: int | None = None) -> str | int:
    """What the kernel does with a call: classic BPF over `struct seccomp_data`."""
    words = {0: number, 4: ARCHITECTURES[machine] if architecture is None else architecture}
    for place, argument in enumerate((*arguments, *[0] * (6 - len(arguments)))):
        words[16 + 8 * place] = argument & 0xFFFFFFFF
        words[20 + 8 * place] = argument >> 32 & 0xFFFFFFFF
    steps, place, held = program(machine, PID), 0, 0
    while True:
        code, if_true, if_false, value = steps[place]
        place += 1
        match code:
            case 0x20:
                held = words[value]
            case 0x15:
                place += if_true if held == value else if_false
            case 0x35:
                place += if_true if held >= value else if_false
            case 0x45:
                place += if_true if held & value else if_false
            case 0x06:
                return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(value, value & 0xFFFF if value >> 16 == 5 else "?")
            case _:
                raise AssertionError(hex(code))


@MACHINES
def test_every_call_that_is_not_listed_is_denied(machine: str) -> None:
    for number in range(600):
        if number not in NUMBERS[machine].values():
            assert verdict(machine, number) == DENY


@MACHINES
def test_what_a_program_needs_is_allowed(machine: str) -> None:
    for name in (
        "read",
        "write",
        "openat",
        "mmap",
        "munmap",
        "futex",
        "getdents64",
        "exit_group",
        "getrandom",
        "epoll_pwait",
        "newfstatat",
    ):
        assert verdict(machine, NUMBERS[machine][name]) == ALLOW


@MACHINES
def test_threads_are_allowed_and_processes_and_namespaces_are_not(machine: str) -> None:
    clone = NUMBERS[machine]["clone"]
    thread = 0x3D0F00
    assert verdict(machine, clone, thread) == ALLOW
    assert verdict(machine, clone, 17) == DENY
    for namespace in (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(machine, clone, thread | namespace) == DENY
    assert verdict(machine, NUMBERS[machine]["clone3"], 0) == errno.ENOSYS


@MACHINES
def test_sockets_are_pairs_of_the_own_process(machine: str) -> None:
    assert verdict(machine, NUMBERS[machine]["socketpair"], 1, 1) == ALLOW
    for family in (0, 2, 10, 16, 38, 40):
        assert verdict(machine, NUMBERS[machine]["socketpair"], family, 1) == DENY
    for name in ("socket", "connect", "bind", "listen", "accept", "accept4", "sendmsg", "recvmsg"):
        assert name not in NUMBERS[machine]


@MACHINES
def test_signals_reach_the_own_process_alone(machine: str) -> None:
    assert verdict(machine, NUMBERS[machine]["tgkill"], PID, PID, 6) == ALLOW
    assert verdict(machine, NUMBERS[machine]["tgkill"], 1, 1, 6) == DENY
    assert "kill" not in NUMBERS[machine]


@MACHINES
def test_limits_can_be_read_and_not_set(machine: str) -> None:
    number = NUMBERS[machine]["prlimit64"]
    assert verdict(machine, number, 0, 9, 0, 0x7000) == ALLOW
    assert verdict(machine, number, 0, 9, 0x7000, 0) == DENY
    assert verdict(machine, number, 0, 9, 0x7000_0000_0000, 0) == DENY


@MACHINES
def test_files_are_asked_harmless_things_alone(machine: str) -> None:
    assert verdict(machine, NUMBERS[machine]["ioctl"], 0, 0x5401) == ALLOW
    assert verdict(machine, NUMBERS[machine]["ioctl"], 0, 0x5412) == DENY
    assert verdict(machine, NUMBERS[machine]["fcntl"], 0, 2) == ALLOW
    for command in (8, 10, 15, 1024, 1026, 1031, 1033):
        assert verdict(machine, NUMBERS[machine]["fcntl"], 0, command) == DENY


@MACHINES
def test_other_call_conventions_kill(machine: str) -> None:
    assert verdict(machine, 0, architecture=0x40000003) == KILL
    assert verdict(machine, 0x40000000) == KILL


def test_a_machine_whose_calls_are_not_known_is_refused() -> None:
    with pytest.raises(KeyError):
        program("riscv64", PID)


def test_jumps_stay_inside_the_program() -> None:
    for machine in seccomp.NUMBERS:
        steps = program(machine, PID)
        assert len(steps) < 4096
        for place, step in enumerate(steps):
            assert place + 1 + max(step.if_true, step.if_false) < len(steps) or step.code == 0x06
