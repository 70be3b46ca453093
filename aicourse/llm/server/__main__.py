"""`python -m aicourse.llm.server`: the server in the background, as `process.ensure_running` starts it."""

from aicourse.llm.server.process import IDLE_MINUTES, serve

if __name__ == "__main__":
    serve(idle_minutes=IDLE_MINUTES)
