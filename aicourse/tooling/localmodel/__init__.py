"""The embedded model on this computer: its files, its server, its embedder.

    from aicourse.tooling import localmodel

    localmodel.pull("qwen2.5-coder-0.5b")         the model's file, downloaded and verified once
    address = localmodel.ensure_running()         the server: address.url and address.token

`local_models` names the models and `local_path` tells which are here; the command line also uses the modules
`model_files` (remove) and `process` (stop). Nothing here knows hosted models, prices or recordings.
"""

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.tooling.localmodel.model_files import local_path as local_path
    from aicourse.tooling.localmodel.model_files import pull as pull
    from aicourse.tooling.localmodel.process import ensure_running as ensure_running
    from aicourse.tooling.localmodel.process import running as running

__getattr__, __dir__ = lazily(
    __name__,
    {
        "ensure_running": "aicourse.tooling.localmodel.process",
        "local_path": "aicourse.tooling.localmodel.model_files",
        "pull": "aicourse.tooling.localmodel.model_files",
        "running": "aicourse.tooling.localmodel.process",
    },
)
