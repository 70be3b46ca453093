"""The private things that nothing published may hold: keys, and paths of one machine.

Keys are found by the detectors of `detect-secrets` (https://github.com/Yelp/detect-secrets) that know a key
by its form, by those forms of model providers' keys that it lacks, and by a long value that is assigned to
something named `password`, `token` and the like. Guesses by entropy are left out: hashes look the same. A
line that ends in `# pragma: allowlist secret` is passed over.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Iterator
from typing import Any

from aicourse.errors import AicourseError

_DETECTORS = {
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "basic_auth": "BasicAuthDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "jwt": "JwtTokenDetector",
    "npm": "NpmDetector",
    "private_key": "PrivateKeyDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
# OpenAI, Anthropic and OpenRouter; Cerebras; Groq; Google; Hugging Face; xAI; Replicate; Perplexity; NVIDIA
_PROVIDER_KEY = re.compile(
    r"(?<![A-Za-z0-9_-])(?:c?sk-[\w-]{16,}|gsk_\w{20,}|AIza[\w-]{30,}|hf_[A-Za-z0-9]{20,}|xai-\w{20,}"
    r"|r8_\w{20,}|pplx-\w{20,}|nvapi-[\w-]{20,})"
)
_ASSIGNMENT = re.compile(r"(?i)(?:key|token|secret|passw|pwd|credential)\w*[\"']?\s*[:=]")
_TEMPLATE = re.compile(r"[\s{}<>$…]")
_RANDOM = re.compile(r"(?=.*\d)[^\s{}<>$…]{16,}")  # with a digit, and no place for a value
_LONGEST_LINE = 500
_ALLOWED = "pragma: allowlist secret"

_PATH = re.compile(
    r"(?<![\w/.:~<+=&#%\"')\]}…-])/(?!v\d+/|dev/null|path/to/)[A-Za-z][\w.~-]*/[\w.~-]+"  # /v1/… are routes
    r"|(?<=[\"'(=])/(?:home|Users|root|tmp|var|opt|mnt|srv|private|content|workspaces?|data|media)/[\w.~-]+"
    r"|(?<!\w)[A-Za-z]:\\{1,2}[A-Za-z][\w.~-]+(?:\\|\b)"
)


@functools.cache
def _detectors() -> tuple[Any, Any]:
    """The detectors that read a whole text at once, and the one that reads lines of code."""
    plugins = "detect_secrets.plugins"
    try:
        by_form = [
            getattr(importlib.import_module(f"{plugins}.{module}"), name)()
            for module, name in _DETECTORS.items()
        ]
        return by_form, importlib.import_module(f"{plugins}.keyword").KeywordDetector()
    except ImportError:
        message = "detect-secrets is not installed. Run: make setup  (or: python -m pip install -e '.[dev]')"
        raise AicourseError(message) from None


def secret_lines(content: str) -> Iterator[str]:
    """The lines of a text that hold a key."""
    by_form, by_name = _detectors()
    found = {match for detector in by_form for match in detector.analyze_string(content)}
    found = {match for match in found if not _TEMPLATE.search(match)}
    found |= {match[0] for match in _PROVIDER_KEY.finditer(content)}
    for line in content.splitlines():
        if _ALLOWED not in line and (any(secret in line for secret in found) or _assigned(line, by_name)):
            yield line


def _assigned(line: str, detector: Any) -> bool:
    if len(line) > _LONGEST_LINE or not _ASSIGNMENT.search(line):
        return False
    known = re.sub("(?i)token", "secret", line)  # a word that the detector does not know
    values = (secret.secret_value for secret in detector.analyze_line("line.py", known))  # .py: in quotes
    return any(_RANDOM.match(value) for value in values)


def machine_paths(content: str) -> list[str]:
    """The absolute paths in a text, whatever their root."""
    return [found[0] for found in _PATH.finditer(content)]
