"""Runs one program in a process that has given up everything else, and sends back what came of it.

A program is Python. `await` may stand at its top level. Its value is `result` if it assigns that name, else the value of its last line if
that is an expression. With an entry, the value is what that function returns for the inputs.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import inspect
import io
import linecache
import os
import sys
import tempfile
import traceback
import types
from typing import Any

from . import module, values

CHANNEL = 3
MAX_MODULES = 200
VALUE = "__value_of_last_line__"


def run(folder: str) -> None:
    """Receive the script, run it, send the outcome, end the process."""
    try:
        channel = module.Channel(CHANNEL)
        try:
            outcome = _perform(channel, channel.receive(), folder)
        except (OSError, MemoryError) as error:
            outcome = {"error": f"the program could not be laid out: {error or 'not enough memory'}"}
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        try:
            channel.send({"done": outcome})
        except (MemoryError, TypeError, ValueError) as error:
            channel.send({"done": {"error": f"the outcome could not be sent: {error or 'not enough memory'}"}})
    finally:
        os._exit(0)


def _perform(channel: module.Channel, script: dict[str, Any], folder: str) -> dict[str, Any]:
    work = _furnish(channel, script, folder)
    before = values.snapshot(work)

    def keep(name: str, data: bytes) -> None:
        path = os.path.join(work, name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        _write(path, data)
        status = os.lstat(path)
        before[name] = status.st_mtime_ns, status.st_size

    channel.keep = keep
    module.build(channel, script["tools"])
    outcome: dict[str, Any] = {"value": None, "error": None, "files": {}, "left": []}
    name = script["name"]
    try:
        outcome["value"] = values.plain(_value(script["code"], name, script["entry"], script["arguments"]))
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            outcome["error"] = f"the program exited with {leaving.code!r}"
    except BaseException as error:
        outcome["error"] = trimmed(error, folder, name)
    try:
        os.chdir(work)
        outcome["files"], outcome["left"] = values.made_files(work, before, script["most_files"], script["most_bytes"])
    except (OSError, MemoryError, RecursionError) as error:
        outcome["left"] = [f"the files made could not be kept: {error or 'not enough memory'}"]
    return outcome


def _furnish(channel: module.Channel, script: dict[str, Any], folder: str) -> str:
    """Lay out the folders and streams; returns the working folder."""
    work, modules = os.path.join(folder, "work"), os.path.join(folder, "modules")
    for made in (work, modules):
        os.mkdir(made)
    while (piece := channel.receive()).get("file") is not None:
        _write(os.path.join(work, piece["file"]), piece["data"])
    for name, source in script["modules"].items():
        _write(os.path.join(modules, *name.split(".")) + ".py", source.encode())
    os.environ.clear()
    os.environ.update(HOME=work, TMPDIR=folder, LANG="C.UTF-8", MPLBACKEND="Agg", PYTHONDONTWRITEBYTECODE="1")
    tempfile.tempdir = folder
    os.umask(0o022)
    os.chdir(work)
    sys.path[:] = [modules, *sys.path, work]
    sys.dont_write_bytecode = True
    sys.argv = [script["name"]]
    sys.stdin = io.StringIO()
    sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), "utf-8", "backslashreplace", line_buffering=True)  # noqa: SIM115
    sys.stderr = io.TextIOWrapper(open(2, "wb", closefd=False), "utf-8", "backslashreplace", line_buffering=True)  # noqa: SIM115
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(int.from_bytes(os.urandom(4)))  # else every run would draw the same numbers
    return work


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "ab") as file:
        file.write(data)


def _value(code: str, name: str, entry: str | None, arguments: Any) -> Any:
    tree = ast.parse(code, name)
    if entry is None and tree.body and isinstance(last := tree.body[-1], ast.Expr):
        tree.body[-1] = ast.copy_location(ast.Assign([ast.Name(VALUE, ast.Store())], last.value), last)
        ast.fix_missing_locations(tree)
    made = types.ModuleType("__main__" if entry is None else "pipeline")
    made.__file__ = name
    sys.modules[made.__name__] = made
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    space = vars(made)
    space["inputs"] = arguments
    space["vlmrun"] = sys.modules["vlmrun"]
    space["__builtins__"] = builtins  # exec adds it; a function made of code has it not, and numpy's imports look for it
    compiled = compile(tree, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    if compiled.co_flags & inspect.CO_COROUTINE:
        asyncio.run(types.FunctionType(compiled, space)())
    else:
        exec(compiled, space)  # noqa: S102
    if entry is None:
        return _awaited(space["result"] if "result" in space else space.get(VALUE))
    function = space.get(entry)
    if not callable(function):
        raise NameError(f"the program has no function {entry}(inputs)")
    return _awaited(function(arguments) if inspect.signature(function).parameters else function())


def _awaited(value: Any) -> Any:
    async def wait() -> Any:
        return await value

    return asyncio.run(wait()) if inspect.isawaitable(value) else value


def trimmed(error: BaseException, folder: str, name: str) -> str:
    """The traceback, from the program's own first line on, without the lines of Python, of libraries and of this sandbox."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name or frame.filename.startswith(folder)]
    text = "".join(traceback.format_exception_only(error)).rstrip()
    if own and not isinstance(error, SyntaxError):
        text = "Traceback (most recent call last):\n" + "".join(traceback.format_list(own)).replace(folder + "/", "") + text
    return text + _hint(error)


def _hint(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "\nThe program needs more memory than a program may have here."
    frames = {os.path.basename(frame.filename) for frame in traceback.extract_tb(error.__traceback__)}
    if isinstance(error, PermissionError) and frames & {"subprocess.py", "socket.py", "popen_fork.py", "popen_spawn_posix.py"}:
        return "\nA program here has no network and starts no other programs."
    if isinstance(error, (TypeError, AttributeError)) and "'coroutine' object" in str(error):
        return "\nTools are async: put `await` before the call."
    if isinstance(error, ModuleNotFoundError):
        return "\nThere are Python's own modules, numpy, PIL, pandas, matplotlib, pypdfium2, openpyxl and vlmrun."
    return ""
