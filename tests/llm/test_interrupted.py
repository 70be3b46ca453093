"""A live call that the user stops ends in one line, in a script and in a cell, and is still an interrupt."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aicourse.llm.transport import told_in_one_line

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent to one thread")
ASK = """
import signal, socket, sys, threading, time
from aicourse import connect

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
listener = socket.create_server(("127.0.0.1", 0))
main, heard = threading.main_thread().ident, threading.Event()

def interrupt_who_waits():
    connection, _ = listener.accept()
    connection.recv(65536)
    if STREAM:
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\n\\r\\n")
        connection.sendall(b'data: {"choices": []}\\n\\n')
        heard.wait()
    while "httpcore" not in sys._current_frames()[main].f_code.co_filename:
        time.sleep(0.01)
    signal.pthread_kill(main, signal.SIGINT)
    time.sleep(600)  # the connection stays open; a thread that is a daemon ends with the script

threading.Thread(target=interrupt_who_waits, daemon=True).start()
client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", replay="off")
for chunk in client.chat.completions.create(
    model="m", messages=[{"role": "user", "content": "x"}], stream=STREAM
):
    heard.set()
"""
CELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
result = InteractiveShell.instance(colors="NoColor").run_cell(sys.argv[1])
assert isinstance(result.error_in_exec, KeyboardInterrupt)
"""


@pytest.mark.parametrize(
    ("where", "stream"), [("script", False), ("cell", True)], ids=["a script", "a stream in a cell"]
)
def test_an_interrupt_is_told_in_one_line(where: str, stream: bool) -> None:
    source = ASK.replace("STREAM", str(stream))
    runner = [source] if where == "script" else [CELL, source]
    done = subprocess.run([sys.executable, "-c", *runner], capture_output=True, text=True, timeout=120)
    told = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert told == [
        "Interrupted: you stopped a live call, and the model with it. Run it again to ask once more."
    ]
    assert (done.returncode != 0) == (where == "script")


def test_a_second_interrupt_installs_no_second_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: told.append(kind))
    hooks = []
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt), told_in_one_line():
            raise KeyboardInterrupt
        hooks.append(sys.excepthook)
    assert hooks[0] is hooks[2]
    sys.excepthook(ValueError, ValueError(), None)
    assert told == [ValueError]  # the hook that was there before still hears of the rest
