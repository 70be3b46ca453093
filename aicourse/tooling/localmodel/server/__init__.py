"""The course's own model server: any OpenAI or Anthropic client, pointed at a small model on this computer.

- `serving`    the process itself, until it is stopped or idle
- `app`        the routes
- `guard`      loopback names only, a token, limits on size and time, a bounded queue
- `fields`, `requests`   what a request may ask for: the names on each route, then the values
- `schemas`, `patterns`, `grammar`   JSON schemas and regular expressions as grammars, or refused by name
- `fence`      the Markdown around JSON that the model may write and nobody gets
- `toolcalls`  tools as a prompt and a grammar, because a model this small does not keep to them unaided
- `content`    the text of a message, whichever API it was written for
- `pictures`   photos become a text of what was measured in them, and the reply says so
- `responses`, `messages`, `embeddings`   the other dialects, translated to chat completions and back
- `answers`    blocking model, async routes; chunks as server-sent events
- `backend` and `model_slot` llama.cpp in this process, one model at a time, loaded on demand
- `http_errors`  errors in the shape that each provider's client expects
- `counters`   what /metrics says
"""
