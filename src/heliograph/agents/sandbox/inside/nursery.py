"""An interpreter that has the big libraries loaded and never runs a program itself: it forks one process for each run.

`main` serves on the socket that is its standard input. Each request is JSON with the run's limits and folder, and carries four descriptors:
the channel to the worker, the program's output and error output, and the leash. For a request it forks a keeper, which moves into
namespaces of its own and forks the process that runs the program. The keeper kills that process when the leash closes, and says on it how
the process ended. No program's code, files or answers ever reach the nursery or another keeper.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
from typing import Any

from . import confine, landlock, program

LIBRARIES = ("numpy", "PIL.Image", "PIL.ImageDraw", "pypdfium2", "pandas", "matplotlib.pyplot", "asyncio")


def load() -> None:
    """Import what most programs use, so that none of them pays for it."""
    os.environ["MPLBACKEND"] = "Agg"
    for name in LIBRARIES:
        importlib.import_module(name)
    _draw_once()


def _draw_once() -> None:
    """Draw a chart that nobody sees: the first one loads fonts and more, which each run would else do anew."""
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    figure, axes = pyplot.subplots()
    axes.bar(["a", "b"], [1, 2])
    axes.set_title("a")
    figure.savefig(io.BytesIO(), format="png")
    pyplot.close(figure)


def used_memory() -> int:
    """This process's address space in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def readable() -> list[str]:
    """What a program needs to read where no mounts hide the rest."""
    system = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/usr/share/fonts", "/etc/ld.so.cache"]
    return [*sys.path, os.path.dirname(os.__file__), *system, "/dev/zero", "/dev/random", "/dev/urandom"]


def main(*, isolated: bool) -> None:
    """Serve until the worker closes the socket. `isolated`: each run gets namespaces of its own, which needs bubblewrap around this."""
    wishes = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    confine.become_nobody()
    confine.die_with_parent()
    load()
    if isolated:
        _rehearse()
    elif landlock.version() == 0:
        sys.exit("this kernel has no Landlock, which keeps programs from files (Linux 5.13 and later)")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    wishes.send(b"ready")
    while True:
        text, descriptors, _, _ = socket.recv_fds(wishes, 4096, 4)
        if not text:
            return
        wish: dict[str, Any] = json.loads(text)
        if os.fork() == 0:
            wishes.close()
            _keep(wish, descriptors, isolated=isolated)
        for descriptor in descriptors:
            os.close(descriptor)


def _rehearse() -> None:
    """Enter namespaces once in a child, so that a kernel which forbids it is known of before the first run."""
    child = os.fork()
    if child == 0:
        try:
            confine.enter_namespaces("/tmp", 1 << 20)  # noqa: S108
        except OSError as error:
            sys.stderr.write(f"{error}\n")
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(1)


def _keep(wish: dict[str, Any], descriptors: list[int], *, isolated: bool) -> None:
    """Run one program to its end or to the end of the leash. Never returns."""
    channel, out, err, leash = descriptors
    try:
        confine.die_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        limits = confine.Limits(**wish["limits"])
        used = used_memory()
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")  # when this machine runs out of memory, a program goes first
        if isolated:
            confine.enter_namespaces(wish["folder"], limits.disk)
        trouble, troubled = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(leash)
            os.close(trouble)
            _become_program((channel, out, err), troubled, wish["folder"], limits, used, isolated=isolated)
        for descriptor in (channel, out, err, troubled):
            os.close(descriptor)
        _say(leash, _watch(child, leash, trouble))
    except BaseException as error:
        _say(leash, {"failure": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _say(leash: int, answer: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(leash, json.dumps(answer).encode())


def _watch(child: int, leash: int, trouble: int) -> dict[str, Any]:
    if failure := os.read(trouble, 1000):
        os.waitpid(child, 0)
        return {"failure": failure.decode()}
    process = os.pidfd_open(child)
    poll = select.poll()
    for descriptor in (leash, process):
        poll.register(descriptor, select.POLLIN)
    if all(descriptor != process for descriptor, _ in poll.poll()):
        os.kill(child, signal.SIGKILL)
    status, spent = os.wait4(child, 0)[1:]
    return {"status": status, "cpu": spent.ru_utime + spent.ru_stime, "memory": spent.ru_maxrss << 10}


def _become_program(
    streams: tuple[int, int, int], troubled: int, folder: str, limits: confine.Limits, used: int, *, isolated: bool
) -> None:
    """Arrange the descriptors as a program finds them, give up all rights and run it. Never returns."""
    try:
        confine.die_with_parent()
        os.setsid()
        kept = [os.dup2(stream, 100 + place) for place, stream in enumerate((*streams, troubled))]
        for place, stream in ((program.CHANNEL, kept[0]), (1, kept[1]), (2, kept[2]), (4, kept[3])):
            os.dup2(stream, place, inheritable=False)
        os.closerange(5, 1024)
        if not isolated:
            landlock.restrict(readable(), [folder, os.devnull])
        confine.give_up(limits, used, threads_are_counted=isolated and confine.counts_by_namespace())
    except BaseException as error:
        os.write(troubled, f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    os.close(4)
    program.run(folder)
