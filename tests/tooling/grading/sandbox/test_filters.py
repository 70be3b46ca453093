"""The parts of the sandbox that can be checked without one: filter, system-call numbers, view, imports."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from sandboxes import linux_only

import aicourse
import aicourse.tooling.grading.sandbox
from aicourse.tooling.grading.sandbox import syscalls

HEADERS = {
    0: (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), r"#define __NR_(\w+)\s+(\d+)"),
    1: (Path("/usr/include/asm-generic/unistd.h"), r"#define __NR(?:3264)?_(\w+)\s+(\d+)"),
}
MODULES = sorted(path.stem for path in Path(aicourse.tooling.grading.sandbox.__file__).parent.glob("*.py"))
LINUX = {"child", "limits", "probe", "supervisor", "zygote"}  # only ever imported by the zygote


@pytest.mark.parametrize("column", HEADERS)
def test_numbers_are_those_of_the_systems_headers(column: int) -> None:
    header, pattern = HEADERS[column]
    if not header.exists():
        pytest.skip(f"no {header} here (linux-libc-dev)")
    known = {name: int(number) for name, number in re.findall(pattern, header.read_text())}
    ours = {name: numbers[column] for name, numbers in syscalls.NUMBERS.items()}
    assert {name: known.get(name) for name in ours if name in known or ours[name] is not None} == {
        name: number for name, number in ours.items() if name in known or number is not None
    }


def decide(program: bytes, number: int, *arguments: int, architecture: int | None = None) -> int:
    """A small interpreter of classic BPF, enough for the filter; the action that it returns."""
    machine = syscalls.AUDIT_ARCH[syscalls.architecture()] if architecture is None else architecture
    data = struct.pack("=IIQ6Q", number, machine, 0, *[*arguments, 0, 0, 0, 0, 0, 0][:6])
    steps = [struct.unpack_from("=HBBI", program, place) for place in range(0, len(program), 8)]
    accumulator = place = 0
    while True:
        code, if_true, if_false, operand = steps[place]
        place += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, operand)
        elif code == 0x06:
            return operand
        else:
            test = {
                0x15: accumulator == operand,
                0x35: accumulator >= operand,
                0x45: bool(accumulator & operand),
            }
            place += if_true if test[code] else if_false


@linux_only
@pytest.mark.parametrize("namespaces", [True, False])
def test_the_filter_decides_as_it_says(namespaces: bool) -> None:
    import errno
    import os

    from aicourse.tooling.grading.sandbox.seccomp import DENIED, build

    def error(number: int) -> int:
        return 0x00050000 | number

    allow, program = 0x7FFF0000, build(namespaces=namespaces)
    number = {name: syscalls.number_of(name) or -1 for name in syscalls.NUMBERS}
    for name in DENIED:
        if number[name] >= 0:
            assert decide(program, number[name]) == error(errno.EPERM), name
    assert decide(program, number["clone3"]) == error(errno.ENOSYS)
    assert decide(program, number["clone"], 0x01200011) == allow  # what fork asks for
    assert decide(program, number["clone"], 0x10000000) == error(errno.EPERM)
    assert decide(program, number["ioctl"], 0, 0x5413) == allow
    assert decide(program, number["ioctl"], 0, 0x5412) == error(errno.EPERM)
    assert decide(program, 0) == allow
    assert decide(program, 0, architecture=0x40000003) == 0x80000000  # a 32-bit program is killed
    for family, allowed in ((1, True), (2, True), (10, True), (16, True), (17, False), (40, False)):
        expected = allow if allowed else error(errno.EAFNOSUPPORT)
        assert decide(program, number["socket"], family) == (expected if namespaces else error(errno.EPERM))
    assert decide(program, number["kill"], os.getpid()) == allow
    assert decide(program, number["kill"], 1) == (allow if namespaces else error(errno.EPERM))


@linux_only
def test_a_filter_cannot_be_taken_off() -> None:
    code = (
        "import ctypes\n"
        "from aicourse.tooling.grading.sandbox import seccomp\n"
        "seccomp.load(seccomp.build(namespaces=True))\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.unshare(0x10000000), ctypes.get_errno())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[0] == "-1 1"


@pytest.mark.parametrize("module", [name for name in MODULES if name not in {*LINUX, "__init__"}])
def test_graders_modules_import_on_other_systems(module: str) -> None:
    name = "aicourse.tooling.grading.sandbox." + module
    blocked = "import sys\nfor name in ('fcntl', 'resource', 'pwd', 'termios'): sys.modules[name] = None\n"
    if module in ("zmq_kernel", "provisioner", "namespaces"):
        pytest.skip("needs ipykernel or a Linux kernel when it is imported")
    subprocess.run([sys.executable, "-c", f"{blocked}import {name}"], check=True)


@linux_only
def test_the_view_shows_no_answers() -> None:
    from aicourse.tooling.grading.sandbox.view import environment, readable_paths

    paths = readable_paths()
    root = Path(aicourse.__file__).parents[1]
    for hidden in ("homework", "tests", "notebooks", "datasets/listings/grader", ".git", "grades"):
        assert not any(str(root / hidden).startswith(path) for path in paths), hidden
    assert str(root / "datasets" / "listings" / "dev.jsonl") in paths
    assert set(environment()) & {"OPENAI_API_KEY", "SSH_AUTH_SOCK"} == set()
    assert not any("KEY" in name or "TOKEN" in name for name in environment())
