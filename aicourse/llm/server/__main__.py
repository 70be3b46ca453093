"""`python -m aicourse.llm.server`: the server in the background, as `process.ensure_running` starts it."""

import sys

from aicourse.errors import ServerError
from aicourse.llm.server.process import serve
from aicourse.llm.server.serving import IDLE_MINUTES

if __name__ == "__main__":
    try:
        serve(idle_minutes=IDLE_MINUTES)
    except ServerError as error:
        sys.exit(error.message)
