"""Which files a process may open, where no mounts hide the rest: the kernel's Landlock (Linux 5.13), which needs no rights to use."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Numbers of the calls, the same on every machine."""
VERSION, PATH_BENEATH = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
TRUNCATE = 1 << 14
RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights of files each version of the interface knows; 16 from the fifth on."""
PR_SET_NO_NEW_PRIVS = 38

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


def _call(number: int, *arguments: object) -> int:
    done = _syscall(ctypes.c_long(number), *arguments)
    if done < 0:
        raise OSError(ctypes.get_errno(), f"landlock: {os.strerror(ctypes.get_errno())}")
    return done


def version() -> int:
    """The version of the kernel's interface; 0 where it has none."""
    try:
        return _call(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION))
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Let this process open nothing but these files and what lies below these folders, for good. Raises OSError."""
    known = version()
    rights = (1 << RIGHTS.get(known, 16)) - 1
    reading = EXECUTE | READ_FILE | READ_DIR
    # From the sixth version on also: no signals to processes outside, and no abstract sockets of theirs.
    attributes = struct.pack("=QQQ", rights, 0, 3) if known >= 6 else struct.pack("=Q", rights)
    rules = _call(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    for paths, allowed in ((readable, reading), (writable, rights)):
        for path in paths:
            try:
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            here = allowed if os.path.isdir(path) else allowed & (EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE)
            rule = struct.pack("=Qi", here & rights, place)
            _call(ADD_RULE, ctypes.c_int(rules), ctypes.c_int(PATH_BENEATH), rule, ctypes.c_uint32(0))
            os.close(place)
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _call(RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    os.close(rules)
