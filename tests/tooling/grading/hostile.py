"""Notebooks that attack the grader, each as the source of one cell; what may become of it, how it is told.

Each is run as: an honest cell, this one, another honest cell; then honest functions are called.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """`endings` are those that may be reported; `sentence` is a part of what the instructor reads.

    `error` names what the cell may have failed with, "" when it need not fail; `seconds` is for one cell.
    """

    source: str
    endings: tuple[str, ...] = ("finished",)
    sentence: str = ""
    error: str = ""
    seconds: float = 30.0


_SPIN = Attack("while True: pass", ("timed_out",), "Cell 2 ran longer than 1.5 seconds", seconds=1.5)
_STUBBORN = """
import time
while True:
    try:
        while True: time.sleep(0.01)
    except BaseException: pass
"""
_MANY = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        block = b"x" * (90 << 20)
        time.sleep(60)
        os._exit(0)
os.wait()
"""
_FORK_BOMB = """
import os
while True:
    try: os.fork()
    except OSError: pass
"""
_PATCHES = """
import builtins, json, sys, IPython
from aicourse.tooling.grading import channel, encoding, kernel_side
shell = get_ipython()
json.dumps = json.loads = lambda *a, **k: '{"answer": 1, "kind": "returned", "value": 42}'
json.JSONEncoder.default = lambda self, o: 42
builtins.isinstance = lambda *a: True
builtins.len = lambda o: 0
builtins.print = lambda *a, **k: None
shell.run_cell = lambda *a, **k: None
type(shell).showtraceback = lambda *a, **k: None
shell.kernel.session.send = lambda *a, **k: None
"""
_REPLIES = """
from aicourse.tooling.grading import kernel_side
kernel_side.encode = lambda value, depth=0: 42
"""
_FORGED = """
import json, os, socket, stat, struct
frames = b"".join(
    struct.pack("=I", len(body)) + body
    for n in range(50)
    for body in [json.dumps({"answer": n, "done": n, "kind": "returned", "value": 42}).encode()]
)
for handle in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(handle).st_mode): os.write(handle, frames)
    except OSError: pass
"""
_GARBAGE = """
import os, stat
for handle in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(handle).st_mode): os.write(handle, b"\\x07\\0\\0\\0garbage" * 10)
    except OSError: pass
"""
_ORPHANS = """
import subprocess, threading
subprocess.Popen(["sleep", "98765"], start_new_session=True)
subprocess.Popen("setsid nohup sleep 98765 >/dev/null 2>&1 &", shell=True)
def spam():
    while True: print("still here", flush=True)
threading.Thread(target=spam, daemon=True).start()
threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()
"""
_BLOCK = 'with open("/student/work/{0}", "wb") as file:\n    while True: file.write(bytes(1 << 20))'

ATTACKS = {
    "spins": _SPIN,
    "spins and swallows interrupts": Attack(_STUBBORN, ("timed_out",), "Cell 2 ran longer than", seconds=1.5),
    "stops listening to signals": Attack(
        "import signal\nsignal.signal(2, signal.SIG_IGN)\nwhile True: pass",
        ("timed_out",),
        "Cell 2 ran",
        seconds=1.5,
    ),
    "os._exit": Attack("import os\nos._exit(7)", ("died",), "Cell 2 ended the kernel with exit code 7"),
    "kills itself": Attack("import os\nos.kill(os.getpid(), 9)", ("finished", "died")),
    "kills everybody": Attack("import os\nos.kill(1, 9)\nos.kill(-1, 9)", ("finished", "died")),
    "segmentation fault": Attack(
        "import ctypes\nctypes.string_at(0)", ("died",), "Cell 2 ended the kernel with signal 11"
    ),
    "sys.exit": Attack("import sys\nsys.exit(3)", error="SystemExit"),
    "exit()": Attack("exit()"),
    "memory in one process": Attack(
        "block = bytearray(10**10)",
        ("out_of_memory",),
        "Cell 2 used more than 256 MB of memory",
        "MemoryError",
    ),
    "memory in small pieces": Attack(
        "pieces = []\nwhile True: pieces.append(bytes(1 << 20))",
        ("out_of_memory",),
        "Cell 2 used more than 256 MB",
    ),
    "memory in many processes": Attack(_MANY, ("out_of_memory",), "used more than 256 MB of memory"),
    "fork bomb": Attack(_FORK_BOMB, ("timed_out", "out_of_memory", "died"), "Cell 2", seconds=3.0),
    "fills the disk": Attack(_BLOCK.format("big"), error="OSError"),
    "fills the disk with many files": Attack(
        "for n in range(100):\n    with open(f'/student/tmp/{n}', 'wb') as file: file.write(bytes(1 << 20))",
        error="OSError",
    ),
    "fills the table of files": Attack(
        "for n in range(9999): open(f'/student/tmp/{n}', 'w').close()", error="OSError"
    ),
    "opens every handle": Attack(
        "import os\nkept = [open('/dev/null') for _ in range(9999)]", error="OSError"
    ),
    "200 MB in small prints": Attack(
        "for _ in range(5_000_000): print('x' * 40)",
        ("flooded",),
        "Cell 2 wrote more than 1 MB",
        "TooMuchOutput",
    ),
    "200 MB in one print": Attack(
        "print('x' * (200 << 20))", ("flooded", "out_of_memory"), "Cell 2", seconds=30
    ),
    "200 MB past Python": Attack(
        "import os\nfor _ in range(200): os.write(1, b'x' * (1 << 20))", ("flooded", "finished")
    ),
    "200 MB of pictures": Attack(
        "from IPython.display import HTML, display\nfor _ in range(200): display(HTML('x' * (1 << 20)))",
        ("flooded",),
        "Cell 2 wrote more than 1 MB",
    ),
    "a flood that does not stop when told": Attack(
        "while True:\n    try: print('x' * 10000)\n    except Exception: pass",
        ("timed_out", "flooded"),
        "Cell 2",
        seconds=1.5,
    ),
    "leaves threads and daemons": Attack(_ORPHANS),
    "patches what the reply goes through": Attack(_PATCHES, ("finished", "died", "timed_out"), seconds=3.0),
    "forges replies before they are asked for": Attack(_FORGED),
    "writes garbage to the grader": Attack(_GARBAGE, ("died", "flooded"), "Cell 2"),
    "escapes and scripts": Attack(
        "raise ValueError('\\x1b]0;owned\\x07\\x1b[2J<script>alert(1)</script>\\u009b31m')",
        error="ValueError",
    ),
    "an exception that fights back": Attack(
        "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E()", error="SystemExit"
    ),
    "an exception with an endless name": Attack(
        "raise type('E' * 100_000, (Exception,), {})('x' * 10**6)", ("finished", "flooded")
    ),
}

# memory that no process has mapped, or that the process has which seems to have ended; each a cell
THREAD_OF_A_DEAD_LEADER = """
import ctypes, mmap, os, threading, time
def fill():
    block = mmap.mmap(-1, 400 << 20, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    for place in range(0, 400 << 20, 4096): block[place] = 1
    time.sleep(60)
if os.fork() == 0:
    threading.Thread(target=fill).start()
    ctypes.CDLL(None).syscall({exit}, 0)
os.wait()
"""
PAGE_TABLES = """
import mmap, os, time
for _ in range(20):
    if os.fork() == 0:
        no_reserve = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000
        block = mmap.mmap(-1, 14 << 30, flags=no_reserve, prot=mmap.PROT_READ)
        block.madvise(mmap.MADV_NOHUGEPAGE)
        for place in range(0, 14 << 30, 2 << 20): block[place]
        time.sleep(60)
os.wait()
"""
SOCKETS = """
import os, socket, time
def fill():
    kept = []
    try:
        while True: kept.append(socket.socketpair())
    except OSError: pass
    for ends in kept:
        for end in ends:
            end.setblocking(False)
            try:
                while True: end.send(bytes(1 << 16))
            except OSError: pass
    time.sleep(60)
for _ in range(10):
    if os.fork() == 0: fill()
os.wait()
"""
EXIT = "60 if os.uname().machine == 'x86_64' else 93"
HIDING = {
    "a thread whose leader has ended": THREAD_OF_A_DEAD_LEADER.format(exit=EXIT),
    "page tables": PAGE_TABLES,
    "buffers of sockets": SOCKETS,
}

# what costs the grader, when it reads, restores, decodes or compares it; each the whole answer to a question
COSTLY = {
    "numbers of one hash": "    return {(2**61 - 1) * n for n in range(1, 15_000)}",
    "wide arrays": "    import numpy\n    return [numpy.empty(1, 'U15000000') for _ in range(40)]",
    "a deep list": "    value = []\n    for _ in range(900): value = [value]\n    return value",
    "a long text": "    return 'x' * 10**8",
    "a range without end": "    return range(10**15)",
    "a frame of many columns": (
        "    import pandas\n    return pandas.DataFrame({str(n): [n] for n in range(10**5)})"
    ),
    "a tree of 300,000 names": "    return [" + "text, " * 300_000 + "]",
    "a line of brackets": "    return " + "[" * 150 + "]" * 150,
    "its own name for an error": "    raise type(text, (Exception,), {})(text)",
}
FLOOD = "print('x' * 900_000)"
