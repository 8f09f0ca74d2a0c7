"""What a program sees of this machine: Python, the libraries of `SHOWN` and the system's shared objects, read-only, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from heliograph.agents.sandbox import inside
from heliograph.errors import NotConfigured

SHOWN = ("numpy", "pillow", "pandas", "matplotlib", "pypdfium2", "openpyxl")
"""Distributions that programs may import, with what they require."""

SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
SHARED = ("/etc/ld.so.cache", "/usr/share/zoneinfo", "/usr/share/fonts")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
FOLDERS = ("/usr", "/usr/share", "/etc", "/dev", "/python", "/python/bin", "/python/lib", "/packages", "/harness")
START = "import sys; sys.path[:] = [*{paths!r}, *sys.path]; from inside.nursery import main; main(isolated={isolated})"
UNAVAILABLE = (
    "Programs run only inside bubblewrap, which does not work here: {reason}. "
    "Install it (apt-get install bubblewrap), or set HELIOGRAPH_SANDBOX; see docs/how-to/sandboxing.md."
)
BARE_UNAVAILABLE = (
    "Programs cannot be run with HELIOGRAPH_SANDBOX=subprocess here: {reason}. It needs Linux 5.13 or later with Landlock and seccomp and, "
    "where the server runs as root, a Python that every account can read; see docs/how-to/sandboxing.md."
)
NOBODY = 65534
"""The account of programs where the server is root."""


@cache
def shown_packages() -> dict[str, Path]:
    """Every file or folder of site-packages that a program may import from, by name."""
    found: dict[str, Path] = {}
    waiting, seen = list[str](SHOWN), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        for file in distribution.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__"):
                found.setdefault(top, Path(str(distribution.locate_file(top))))
        for requirement in distribution.requires or ():
            if "extra ==" not in requirement and (match := re.match(r"[A-Za-z0-9._-]+", requirement)):
                waiting.append(match.group().lower())
    return dict(sorted(found.items()))


def bubblewrap(*, own_proc: bool = True) -> list[str]:
    """The command that starts a nursery inside bubblewrap. Raises NotConfigured when bubblewrap is not installed.

    `own_proc`: give it a /proc of its own. Where parts of this machine's /proc are hidden, as in a hardened service, the kernel refuses to
    mount a new one, and the nursery has this machine's; a run has none in either case.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise NotConfigured(UNAVAILABLE.format(reason="bwrap is not installed"))
    return [program, *_walls(own_proc=own_proc), "--", *_python("/python/bin/python", ["/harness", "/packages"], isolated=True)]


def bare() -> list[str]:
    """The command that starts a nursery without walls around it."""
    paths = [Path(inside.__file__).parents[1], *{path.parent for path in shown_packages().values()}]
    return _python(sys.executable, [str(path) for path in paths], isolated=False)


def _python(executable: str, paths: list[str], *, isolated: bool) -> list[str]:
    return [executable, "-I", "-S", "-B", "-c", START.format(paths=paths, isolated=isolated)]


def _walls(*, own_proc: bool) -> Iterator[str]:
    yield from ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try")
    if os.getuid() == 0:
        # Root mounts what other accounts may not reach; the nursery then changes to nobody's account, and needs just these rights for it.
        yield from ("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    else:
        yield from ("--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY))
    yield from ("--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv")
    for name, value in {
        "HOME": "/tmp",  # noqa: S108
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": "/python/lib",
        "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }.items():
        yield from ("--setenv", name, value)
    for name in FOLDERS:  # those that bubblewrap makes by itself are open to their owner only
        yield from ("--perms", "0755", "--dir", name)
    for name in SYSTEM:
        yield from _shown_as_is(Path(name))
    for name in SHARED:
        yield from ("--ro-bind-try", name, name)
    for device in DEVICES:
        yield from ("--dev-bind", device, device)
    yield from _interpreter()
    for name, path in shown_packages().items():
        yield from ("--ro-bind", str(path), f"/packages/{name}")
    yield from ("--ro-bind", str(Path(inside.__file__).parent), "/harness/inside")
    yield from ("--proc", "/proc") if own_proc else ("--bind", "/proc", "/proc")
    yield from ("--perms", "1777", "--tmpfs", "/tmp", "--chdir", "/tmp", "--remount-ro", "/")  # noqa: S108


def _shown_as_is(path: Path) -> Iterator[str]:
    if path.is_symlink():
        yield from ("--symlink", str(path.readlink()), str(path))
    elif path.is_dir():
        yield from ("--ro-bind", str(path), str(path))


def _interpreter() -> Iterator[str]:
    """Python at /python, wherever it is here; without the packages that lie among its own modules."""
    version = f"python{sysconfig.get_python_version()}"
    library = f"/python/{sys.platlibdir}/{version}"
    yield from ("--ro-bind", os.path.realpath(sys.executable), "/python/bin/python")
    yield from ("--ro-bind", sysconfig.get_path("stdlib"), library)
    for name in ("site-packages", "dist-packages"):
        if Path(sysconfig.get_path("stdlib"), name).is_dir():
            yield from ("--perms", "0755", "--tmpfs", f"{library}/{name}")
    name = sysconfig.get_config_var("INSTSONAME") or ""
    for folder in (os.path.join(sys.base_prefix, "lib"), sysconfig.get_config_var("LIBDIR") or ""):
        if name.startswith("libpython") and ".so" in name and os.path.isfile(shared := os.path.join(folder, name)):
            yield from ("--ro-bind", shared, f"/python/lib/{name}")
            return
