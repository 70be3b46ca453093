"""The course's own model server: any OpenAI or Anthropic client, pointed at a small model on this computer.

- `process`   start it when needed, find it, stop it; one per user and machine
- `app`       the routes
- `guard`     loopback names only, a token, a limit on size, a bounded queue
- `requests`  what a request may ask for; schemas get bounds
- `responses` and `messages`  the two other dialects, translated to chat completions and back
- `backend`   llama.cpp in this process, models loaded on demand
- `problems`  errors in the shape that each provider's client expects

Not handled yet: tools (a text model this small does not keep to them unaided) and images.
"""
