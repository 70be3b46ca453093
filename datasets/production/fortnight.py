"""Record what the model replies to the listings; simulate a fortnight of sellers who meet these replies.

python datasets/production/fortnight.py replies   replies.jsonl: asks for what is missing, can be interrupted
python datasets/production/fortnight.py requests  requests.csv, grader/incidents.json; a new secret seed

A reply is asked for as the marketplace does it: `extract`, the version's own recipe, no photo. There is no
time limit here: `seconds` are those of the machine that recorded.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from itertools import product
from pathlib import Path

import pandas as pd
from openai import OpenAI, OpenAIError
from tqdm import tqdm

from aicourse import connect, prompts
from aicourse.datasets import read_listings
from aicourse.errors import AicourseError
from aicourse.llm.catalog import EMBEDDED
from aicourse.marketplace.extraction.extracting import extract
from aicourse.marketplace.production import read_replies
from aicourse.marketplace.traffic import Reply, parameters, place_incidents, simulate
from aicourse.paths import write_atomically
from aicourse.prompts import Prompt

FOLDER = Path(__file__).parent
KINDS = [("v4", False), ("v6", False), ("v4", True)]  # prompt version, and if the text is truncated
BLOCK = 50  # listings; then the next kind, so that each kind met the machine at all times of the recording
MODEL: str = parameters()["model"]
KEPT_CHARACTERS: int = parameters()["incidents"]["truncating_client"]["characters"]


def main() -> None:
    """Read the command line, make one of the two files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", choices=["replies", "requests"])
    listings = read_listings(FOLDER / "listings.jsonl")
    try:
        if parser.parse_args().file == "replies":
            record_replies(listings, connect(EMBEDDED, MODEL, replay="off"), FOLDER / "replies.jsonl")
        else:
            write_requests(listings, secrets.token_bytes(32), FOLDER)
    except (AicourseError, OpenAIError) as error:
        sys.exit(f"{error} What is recorded is kept: the same command goes on where it was.")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The same command goes on where it was.")


def record_replies(listings: pd.DataFrame, client: OpenAI, path: Path) -> None:
    """Add to the file what it lacks; after each reply it is whole, and sorted."""
    replies = {reply.key: reply for reply in read_replies(path)} if path.exists() else {}
    blocks = [listings.index[at : at + BLOCK] for at in range(0, len(listings), BLOCK)]
    wanted = [(*kind, name) for block in blocks for kind, name in product(KINDS, block)]
    with tqdm(total=len(wanted), initial=len(replies), unit="reply") as bar:
        warm = ""
        for version, truncated, name in wanted:
            if (name, version, truncated) in replies:
                continue
            prompt = prompts.load(f"extract_listing@{version}")
            if warm != version:  # the model has read the beginning of a prompt in use
                extract("Warm-up", prompt, client, model=MODEL)
                warm = version
            reply = ask(listings.loc[name], prompt, truncated, client)
            replies[reply.key] = reply
            _write(replies.values(), path)
            bar.update()


def ask(listing: pd.Series, prompt: Prompt, truncated: bool, client: OpenAI) -> Reply:
    """The model's reply to one listing, of which a truncating client sends the beginning."""
    description = listing["description"][:KEPT_CHARACTERS] if truncated else listing["description"]
    text = f"{listing['title']}\n{description.strip()}"
    began = time.perf_counter()
    extraction = extract(text, prompt, client.with_options(max_retries=0), model=MODEL)
    seconds = round(time.perf_counter() - began, 3)
    proposal = extraction.attributes and extraction.attributes.model_dump()
    tokens = extraction.usage.prompt or 0, extraction.usage.completion or 0
    return Reply(str(listing.name), f"v{prompt.version}", truncated, proposal, len(text), *tokens, seconds)


def _write(replies: Iterable[Reply], path: Path) -> None:
    lines = [
        json.dumps(asdict(reply), ensure_ascii=False) for reply in sorted(replies, key=lambda one: one.key)
    ]
    write_atomically(path, "\n".join(lines) + "\n")


def write_requests(listings: pd.DataFrame, seed: bytes, folder: Path) -> None:
    """The fortnight of a seed; seed and incidents are for instructors."""
    incidents = place_incidents(seed)
    requests = simulate(listings, read_replies(folder / "replies.jsonl"), seed, incidents)
    write_atomically(folder / "requests.csv", requests.to_csv(index=False, lineterminator="\n"))
    secret = {"seed": seed.hex(), "incidents": [asdict(incident) for incident in incidents]}
    write_atomically(folder / "grader" / "incidents.json", json.dumps(secret, indent=1) + "\n")


if __name__ == "__main__":
    main()
