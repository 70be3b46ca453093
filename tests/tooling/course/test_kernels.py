"""Starting kernels: where the fork server is used, and what is said when it is gone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aicourse.tooling.course.kernels import CAN_FORK, LOG, Kernels, request_fork
from aicourse.tooling.fork_server import ForkServerGone

linux = pytest.mark.skipif(not CAN_FORK, reason="kernels are forked on Linux only")


@linux
def test_a_server_that_is_gone_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text("Traceback …\nModuleNotFoundError: No module named 'pandas'\n")
    with pytest.raises(ForkServerGone, match=r"No module named 'pandas'\. Check with: aicourse doctor"):
        request_fork(tmp_path / "fork", {})


@linux
def test_one_lesson_alone_needs_no_fork_server() -> None:
    with Kernels(1) as alone:
        assert alone.server is None
    with Kernels(2) as together:
        assert together.server is not None
        assert together.address is not None
        assert together.address.is_socket()
    assert not together.folder.exists()


def test_sockets_have_short_names() -> None:
    with Kernels(1) as kernels:
        longest = kernels.folder / "01234567-ipc-5"
        assert sys.platform == "darwin" or len(str(longest)) <= 104
