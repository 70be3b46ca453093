"""A product that asks a model: the colours that a listing names."""

import json

MODEL = "qwen2.5-coder-0.5b"
PROMPT = "Which colours does the thing for sale have? Answer with a JSON list of colour words, nothing else."


def colours(client, listing):
    """The colours in a listing, as the model reads it; an empty list when it says nothing."""
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": listing}]
    reply = client.chat.completions.create(model=MODEL, messages=messages)
    text = reply.choices[0].message.content or "[]"
    return [word.lower() for word in json.loads(text)]
