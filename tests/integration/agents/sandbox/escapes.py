"""Programs that try to get out of the sandbox. Each assigns to `result` what it got hold of, or fails as `fails` says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SYSCALLS = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *arguments):
    if isinstance(number, dict):
        number = number[platform.machine()]
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    got = libc.syscall(ctypes.c_long(number), *given)
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got
"""
DENIED = r"Operation not permitted"
ABSENT = r"No such file or directory"
READ_ONLY = r"Read-only file system|Permission denied"


@dataclass(frozen=True)
class Escape:
    """An attempt. `outside`: whether it succeeds when the same program runs outside (only what does no harm there says so)."""

    name: str
    code: str
    fails: str
    outside: bool = True
    limits: dict[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def _system(name: str, x86_64: int, aarch64: int, *arguments: Any, fails: str = DENIED) -> Escape:
    """A bare system call with arguments that do no harm should it be allowed."""
    given = ", ".join(map(str, arguments))
    numbers = {"x86_64": x86_64, "aarch64": aarch64}
    return Escape(name, f"{SYSCALLS}\nresult = [call({numbers}, {given})]", fails, outside=False)


FILES = [
    Escape("reads /etc/passwd", "result = open('/etc/passwd').read()", ABSENT),
    Escape("reads /etc/shadow", "result = open('/etc/shadow').read()", ABSENT, outside=False),
    Escape("reads a secret of the data folder", "result = open(inputs['secret']).read()", ABSENT),
    Escape("climbs out of its folder", "result = open('../../..' + inputs['secret']).read()", ABSENT, outside=False),
    Escape("lists the homes", "import os\nresult = os.listdir('/home') + os.listdir('/root/.ssh')", ABSENT, outside=False),
    Escape("reads the environment of the first process", "result = open('/proc/1/environ').read()", ABSENT, outside=False),
    Escape("reads the worker's environment", "result = open('/proc/%d/environ' % inputs['worker'], 'rb').read()", ABSENT),
    Escape("reads its own memory map", "result = open('/proc/self/maps').read()", ABSENT),
    Escape("opens its own memory", "result = [open('/proc/self/mem', 'rb').fileno()]", ABSENT),
    Escape("looks at the kernel's tree", "import os\nresult = os.listdir('/sys')", ABSENT),
    Escape("looks at the mounts", "result = open('/proc/mounts').read() + open('/etc/mtab').read()", ABSENT, outside=False),
    Escape("imports the server", "import heliograph.config\nresult = heliograph.config.__file__", "No module named 'heliograph'"),
    Escape(
        "writes beside Python's modules",
        "import os\nopen(os.path.dirname(os.__file__) + '/evil.py', 'w')\nresult = 1",
        READ_ONLY,
        outside=False,
    ),
    Escape("changes numpy", "import numpy\nopen(numpy.__file__, 'a')\nresult = 1", READ_ONLY, outside=False),
    Escape("changes the harness", "open('/harness/inside/program.py', 'a')\nresult = 1", READ_ONLY, outside=False),
    Escape("replaces the interpreter", "import os\nos.unlink('/python/bin/python')\nresult = 1", READ_ONLY, outside=False),
    Escape("writes to the root", "open('/evil', 'w')\nresult = 1", READ_ONLY, outside=False),
    Escape(
        "leaves something in shared memory",
        "import os\nopen('/dev/shm/heliograph-test', 'w')\nos.unlink('/dev/shm/heliograph-test')\nresult = 1",
        ABSENT,
    ),
    Escape("makes a device", "import os, stat\nos.mknod('sda', 0o600 | stat.S_IFBLK, os.makedev(8, 0))\nresult = 1", DENIED, outside=False),
    Escape("makes a pipe in its outputs", "import os\nos.mkfifo('pipe')\nresult = 1", DENIED),
    Escape(
        "opens devices",
        "import os\n"
        "result = [n for n in ('mem', 'kmsg', 'kvm', 'fuse', 'sda', 'tty', 'ptmx', 'net/tun', 'loop0') if os.path.exists('/dev/' + n)]",
        r"^None$",
        outside=False,
    ),
    Escape(
        "links a file of the system",
        "import os\nos.link('/usr/lib/os-release', 'x')\nresult = 1",
        "cross-device|Operation not permitted",
        outside=False,
    ),
    Escape("changes its root", "import os\nos.mkdir('r')\nos.chroot('r')\nresult = 1", DENIED, outside=False),
    _system("mounts", 165, 40, "b'none'", "b'/tmp'", "b'tmpfs'", 0, 0),
    _system("unmounts", 166, 39, "b'/proc'", 2),
    _system("takes off what hides /proc", 166, 39, "b'/proc'", 8),
    _system("mounts by the new calls", 430, 430, "b'tmpfs'", 0),
    _system("moves a mount", 429, 429, -100, "b'/tmp'", -100, "b'/dev'", 0),
    _system("opens a tree", 428, 428, -100, "b'/'", 1),
    _system("swaps the root", 155, 41, "b'/tmp'", "b'/tmp'"),
    _system("opens a file by its handle", 304, 265, -100, "ctypes.create_string_buffer(64)", 0),
    Escape(
        "loads code that it brought along",
        "import ctypes, glob, shutil\nshutil.copyfile(glob.glob('/packages/numpy.libs/*')[0], 'x.so')\nctypes.CDLL('./x.so')\nresult = 1",
        "failed to map|Operation not permitted",
        outside=False,
    ),
]

_CONNECT = "import socket\ns = socket.socket({family}, {kind})\ns.settimeout(2)\ns.connect({address})\nresult = s.recv(9) or [1]"
NETWORK = [
    Escape(
        "connects to a port of this machine",
        _CONNECT.format(family="socket.AF_INET", kind="socket.SOCK_STREAM", address="('127.0.0.1', inputs['port'])"),
        DENIED,
    ),
    Escape(
        "connects to a socket of this machine, as PostgreSQL has one",
        _CONNECT.format(family="socket.AF_UNIX", kind="socket.SOCK_STREAM", address="inputs['unix']"),
        DENIED,
    ),
    Escape(
        "connects to an abstract socket",
        _CONNECT.format(family="socket.AF_UNIX", kind="socket.SOCK_STREAM", address="inputs['abstract']"),
        DENIED,
    ),
    Escape(
        "sends a datagram",
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nresult = [s.sendto(b'x', ('127.0.0.1', inputs['port']))]",
        DENIED,
    ),
    Escape("asks for a name", "import socket\nresult = socket.getaddrinfo('localhost', 80)", "gaierror|Operation not permitted"),
    Escape(
        "fetches an address",
        "import urllib.request\nresult = urllib.request.urlopen('http://127.0.0.1:%d/' % inputs['port'], timeout=2).status",
        DENIED,
        outside=False,
    ),
    Escape("makes raw packets", "import socket\nresult = [socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)]", DENIED, outside=False),
    Escape(
        "talks to the kernel by netlink", "import socket\nresult = [socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).fileno()]", DENIED
    ),
    Escape("talks to the host by vsock", "import socket\nresult = [socket.socket(40, socket.SOCK_STREAM).fileno()]", DENIED, outside=False),
    Escape("makes a crypto socket", "import socket\nresult = [socket.socket(38, socket.SOCK_SEQPACKET).fileno()]", DENIED, outside=False),
    Escape(
        "listens",
        "import socket\nresult = [socket.create_server(('127.0.0.1', 0)).close()]",
        DENIED,
    ),
    Escape("makes a pair of sockets of the network", "import socket\nsocket.socketpair(socket.AF_INET)\nresult = 1", DENIED, outside=False),
    _system("goes around by io_uring", 425, 425, 8, "ctypes.create_string_buffer(200)"),
    Escape(
        "connects a socket of its own pair elsewhere",
        f"{SYSCALLS}\nimport socket\na, b = socket.socketpair(type=socket.SOCK_DGRAM)\na.connect(inputs['unix'])\nresult = 1",
        DENIED,
        outside=False,
    ),
]

PROCESSES = [
    Escape("forks", "import os\npid = os.fork()\nif pid == 0:\n    os._exit(0)\nresult = [os.waitpid(pid, 0)]", DENIED),
    Escape(
        "forks without end",
        "import os\nmade = 0\nfor _ in range(100):\n    try:\n        if os.fork() == 0:\n"
        "            os._exit(0)\n        made += 1\n    except OSError:\n        pass\nresult = made",
        r"^None$",
    ),
    Escape(
        "leaves a daemon behind",
        "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        os.execv('/bin/sleep', ['sleep', '0'])\n    os._exit(0)\nresult = 1",
        DENIED,
    ),
    Escape(
        "starts a program",
        "import subprocess, sys\nresult = subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True).stdout",
        DENIED,
    ),
    Escape(
        "becomes another program",
        "import os, sys\nresult = 'replaced'\nos.execv(sys.executable, [sys.executable, '-c', 'print(1)'])",
        DENIED,
        outside=False,
    ),
    Escape("spawns", "import os, sys\nresult = [os.posix_spawn(sys.executable, [sys.executable, '-c', ''], {})]", DENIED),
    Escape(
        "starts a pool of processes",
        "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(1) as pool:\n    result = pool.map(abs, [-1])",
        "Operation not permitted|No such file|Function not implemented",
        outside=False,
    ),
    Escape("runs a program from memory", "import os\nfd = os.memfd_create('x')\nos.write(fd, b'#!/bin/sh')\nresult = [fd]", DENIED),
    _system("runs a program by descriptor", 322, 281, 0, "b''", 0, 0, 0x1000),
    _system("clones into a new user namespace", 56, 220, "0x10000000 | 17", 0, 0, 0, 0),
    _system("clones a thread with a new network", 56, 220, "0x40010f00", 0, 0, 0, 0),
    _system("clones by clone3", 435, 435, "ctypes.create_string_buffer(88)", 88, fails="Function not implemented"),
    _system("leaves its user namespace", 272, 97, "0x10000000"),
    _system("leaves its namespaces", 272, 97, "0x20000 | 0x20000000 | 0x40000000"),
    _system("enters another namespace", 308, 268, 0, 0),
    _system("traces", 101, 117, 0, 0, 0, 0),
    _system("reads another process's memory", 310, 270, 1, 0, 0, 0, 0, 0),
    _system("takes a descriptor of another process", 438, 438, 0, 0, 0),
    Escape("kills everything", "import os\nos.kill(-1, 9)\nresult = 1", DENIED, outside=False),
    Escape("signals its parent", "import os\nos.kill(os.getppid(), 0)\nresult = 1", DENIED),
    Escape("signals the worker", "import os\nos.kill(inputs['worker'], 0)\nresult = 1", DENIED),
    Escape("signals by a descriptor", "import os, signal\nsignal.pidfd_send_signal(os.pidfd_open(os.getpid()), 0)\nresult = 1", DENIED),
    Escape(
        "signals a thread of the worker",
        f"{SYSCALLS}\nresult = [call({{'x86_64': 234, 'aarch64': 131}}, inputs['worker'], inputs['worker'], 0) + 1]",
        DENIED,
    ),
    Escape(
        "has a signal sent by a file", "import fcntl, os\nr, w = os.pipe()\nfcntl.fcntl(r, fcntl.F_SETOWN, os.getpid())\nresult = 1", DENIED
    ),
    Escape("becomes root", "import os\nos.setuid(0)\nresult = 1", DENIED, outside=False),
    Escape("becomes root for good", "import os\nos.setresuid(0, 0, 0)\nresult = 1", DENIED, outside=False),
    Escape(
        "makes a file that runs as its owner",
        "import os, stat\nopen('x', 'w')\nos.chmod('x', 0o4755)\nos.execv('./x', ['x'])\nresult = 1",
        DENIED,
        outside=False,
    ),
    _system("takes capabilities", 126, 91, "ctypes.create_string_buffer(8)", "ctypes.create_string_buffer(24)"),
    _system("lifts its own filter", 157, 167, 22, 0, 0, 0, 0),
    _system("adds a filter with a listener", 317, 277, 1, 8, 0),
    _system("changes its personality", 135, 92, "0x0040000"),
    _system("asks the kernel's keyring", 250, 219, 0, -3, 0),
    _system("adds a key", 248, 217, "b'user'", "b'x'", "b'y'", 1, -3),
    _system("loads a BPF program", 321, 280, 0, "ctypes.create_string_buffer(128)", 128),
    _system("measures by perf", 298, 241, "ctypes.create_string_buffer(128)", 0, -1, -1, 0),
    _system("handles page faults", 323, 282, 1),
    _system("loads a module", 175, 105, 0, 0, "b''"),
    _system("loads a kernel", 246, 104, 0, 0, 0, 0),
    _system("restarts the machine", 169, 142, 0, 0, 0),
    _system("sets the clock", 227, 112, 0, "ctypes.create_string_buffer(16)"),
    _system("names the machine", 170, 161, "b'evil'", 4),
    _system("reads the kernel's log", 103, 116, 10, 0, 0),
    _system("shares memory that stays", 29, 194, 0, 4096, 0o1600),
    _system("leaves a message queue", 68, 186, 0, 0o1600),
    _system("leaves a semaphore", 64, 190, 0, 1, 0o1600),
    _system("watches files", 294, 26, 0),
    _system("pins itself to all processors first", 203, 122, 0, 8, "b'\\x01' + b'\\0' * 7"),
    _system("raises its limits", 302, 261, 0, 9, "(ctypes.c_uint64 * 2)(2**40, 2**40)", 0),
    Escape(
        "raises its limits by the library",
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))\nresult = 1",
        DENIED + "|not allowed to raise",
        outside=False,
    ),
    Escape("types into a terminal", "import fcntl, termios\nfcntl.ioctl(0, termios.TIOCSTI, b'x')\nresult = 1", DENIED, outside=False),
    Escape("takes a terminal", "import fcntl, termios\nfcntl.ioctl(1, termios.TIOCSCTTY, 1)\nresult = 1", DENIED, outside=False),
    Escape("calls by the old numbers", f"{SYSCALLS}\nresult = [call(0x40000000 + 39)]", "SIGSYS|Operation not permitted", outside=False),
]

RESOURCES = [
    Escape("takes all memory", "x = bytearray(300 << 20)\nresult = len(x)", "needs more memory", limits={"memory": 128 << 20}),
    Escape(
        "takes all memory by mapping",
        "import mmap\nmaps = [mmap.mmap(-1, 64 << 20) for _ in range(5)]\nresult = len(maps)",
        "Cannot allocate memory",
        limits={"memory": 128 << 20},
    ),
    Escape(
        "takes all memory bit by bit",
        "x = []\nfor _ in range(300):\n    x.append(b'x' * (1 << 20))\nresult = len(x)",
        "needs more memory",
        limits={"memory": 128 << 20},
    ),
    Escape(
        "takes all threads",
        "import threading, time\nt = [threading.Thread(target=time.sleep, args=(1,)) for _ in range(40)]\n"
        "[x.start() for x in t]\nresult = len(t)",
        "can't start new thread",
        limits={"threads": 16},
    ),
    Escape(
        "opens files without end",
        "import os\nresult = len([os.dup(0) for _ in range(300)])",
        "Too many open files",
        limits={"open_files": 64},
    ),
    Escape(
        "fills the disk",
        "f = open('x', 'wb', 0)\nfor _ in range(30):\n    f.write(b'x' * (1 << 20))\nresult = 30",
        "No space left|File too large",
        limits={"disk": 16 << 20},
    ),
    Escape(
        "fills the disk with several files",
        "for n in range(6):\n    open(f'f{n}', 'wb').write(b'x' * (4 << 20))\nresult = 6",
        "No space left",
        limits={"disk": 16 << 20},
    ),
    Escape("fills the disk with names", "import os\nfor n in range(12000):\n    os.symlink('x', f'f{n}')\nresult = 12000", "No space left"),
    Escape("makes a huge sparse file", "open('x', 'wb').truncate(1 << 40)\nresult = 1", "File too large"),
    Escape(
        "sends a tool a file that is huge",
        "open('x', 'wb').truncate(65 << 20)\nimport pathlib\n"
        "result = (await vlmrun.image.rotate(pathlib.Path('x')))['arguments'] != {'image': 'x'}",
        r"^None$",
        outside=False,
    ),
]

LASTING = [
    Escape("spins", "while True:\n    pass", "cpu", limits={"cpu": 1}, outside=False),
    Escape(
        "spins in threads",
        "import threading\nfor _ in range(4):\n    threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()\nwhile True: pass",
        "cpu|time",
        limits={"cpu": 1, "seconds": 8},
        outside=False,
    ),
    Escape(
        "spins deaf to signals",
        "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        "cpu",
        limits={"cpu": 1},
        outside=False,
    ),
    Escape(
        "sleeps deaf to signals",
        "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: time.sleep(9)",
        "time",
        limits={"seconds": 1},
        outside=False,
    ),
    Escape(
        "waits for a tool that is never called",
        "import asyncio\nawait asyncio.get_running_loop().create_future()",
        "time",
        limits={"seconds": 1},
        outside=False,
    ),
    Escape(
        "writes without end",
        "import os\nwhile True: os.write(1, b'x' * 65536)",
        "output|cpu",
        limits={"output": 1000, "cpu": 5},
        outside=False,
    ),
    Escape(
        "writes errors without end",
        "import os\nwhile True: os.write(2, b'x' * 65536)",
        "output|cpu",
        limits={"output": 1000, "cpu": 5},
        outside=False,
    ),
]

EVERY = [*FILES, *NETWORK, *PROCESSES, *RESOURCES, *LASTING]
