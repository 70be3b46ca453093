"""`python -m aicourse.tooling.localmodel.server`: what `localmodel.ensure_running` starts."""

import sys

from aicourse.errors import ServerError
from aicourse.tooling.localmodel.server.serving import IDLE_MINUTES, serve

if __name__ == "__main__":
    try:
        serve(idle_minutes=IDLE_MINUTES)
    except ServerError as error:
        sys.exit(error.message)
