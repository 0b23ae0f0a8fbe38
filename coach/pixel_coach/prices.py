"""What a request costs: a dated table that users can correct."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Union

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from pixel_coach.read_toml import read_toml

SHIPPED: Final = Path(__file__).with_name("prices.toml")

NANODOLLARS: Final = 1_000_000_000
"""In a dollar. Prices are multiples of a thousandth of a dollar per million tokens, so costs are whole numbers of these."""

_Dollars = Annotated[float, Meta(ge=0, le=100_000)]
_Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class LongPrompts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of requests whose prompt is long.

    Attributes:
        above_tokens: Of the prompt.
        input: Dollars per million tokens of the prompt.
        output: Likewise of the reply and of thinking.
    """

    above_tokens: _Count
    input: _Dollars
    output: _Dollars


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices and quotas of one model.

    Attributes:
        input: Dollars per million tokens of the prompt.
        output: Likewise of the reply and of thinking.
        cached: Likewise of those tokens of the prompt that came from a cache; left out, as `input`.
        long: For long prompts.
        requests_per_minute: What the service allows, where you know it.
        requests_per_day: Likewise; the day ends at midnight in California.
    """

    input: _Dollars
    output: _Dollars
    cached: Union[_Dollars, UnsetType] = UNSET
    long: Union[LongPrompts, UnsetType] = UNSET
    requests_per_minute: Union[_Count, UnsetType] = UNSET
    requests_per_day: Union[_Count, UnsetType] = UNSET

    def nanodollars(self, prompt_tokens: int, reply_tokens: int, cached_tokens: int = 0) -> int:
        """The cost of one request, rounded up.

        Args:
            prompt_tokens: Cached ones included.
            reply_tokens: Those of thinking included.
            cached_tokens: Those of the prompt that came from a cache.
        """
        per_input, per_output = self.input, self.output
        if self.long is not UNSET and prompt_tokens > self.long.above_tokens:
            per_input, per_output = self.long.input, self.long.output
        per_cached = per_input if self.cached is UNSET else min(self.cached, per_input)
        cached_tokens = min(max(cached_tokens, 0), prompt_tokens)
        # Dollars per million tokens are thousands of nanodollars per token.
        cost = (prompt_tokens - cached_tokens) * _thousandths(per_input)
        cost += cached_tokens * _thousandths(per_cached) + reply_tokens * _thousandths(per_output)
        return -(-cost // 1000)


class _PriceFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    date: date
    models: dict[str, Price]
    source: str = ""


class FoundPrice(msgspec.Struct, frozen=True, kw_only=True):
    """The price that a model is counted by.

    Attributes:
        price: The price.
        model: Whose it is.
        notice: What a person should know: it is not this model's own. Empty otherwise.
    """

    price: Price
    model: str
    notice: str = ""


class PriceTable(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of one day.

    Attributes:
        date: On which the newest of the files was correct.
        source: Where they come from.
        models: By model name.
    """

    date: date
    source: str
    models: Mapping[str, Price]

    def find(self, model: str) -> FoundPrice:
        """The price of a model; of one that the table does not have, that of the dearest it has."""
        name = model.removeprefix("models/")
        for candidate in (name, _without_version(name)):
            if candidate in self.models:
                return FoundPrice(price=self.models[candidate], model=candidate)
        dearest = max(self.models, key=lambda known: (self.models[known].output, self.models[known].input, known))
        notice = (
            f"the price table of {self.date} does not know `{model or 'the model'}`; it is counted as `{dearest}`, the dearest it knows"
        )
        return FoundPrice(price=self.models[dearest], model=dearest, notice=notice)


def read_prices(path: Path | None = None) -> PriceTable:
    """The price table in force.

    Args:
        path: A file of the user, whose models count before the shipped ones.

    Raises:
        CoachError: A file cannot be read or does not fit; the message names file and line.
    """
    shipped = read_toml(SHIPPED, _PriceFile).value
    if path is None:
        return PriceTable(date=shipped.date, source=shipped.source, models=shipped.models)
    document = read_toml(path, _PriceFile)
    if not document.value.models:
        raise document.mistake(("models",), "the table names no model", 'a model reads `[models."NAME"]`, `input = …`, `output = …`')
    return PriceTable(
        date=document.value.date, source=document.value.source or str(path), models={**shipped.models, **document.value.models}
    )


def _thousandths(dollars: float) -> int:
    """Thousandths of nanodollars per token: exact for prices that end at the sixth decimal."""
    return round(dollars * 1_000_000)


def _without_version(model: str) -> str:
    """`gemini-2.5-flash-preview-09-2025` → `gemini-2.5-flash`. A word such as `image` may change the price and stays."""
    parts = model.split("-")
    while len(parts) > 1 and (parts[-1].isdigit() or parts[-1] in {"preview", "exp", "latest"}):
        parts.pop()
    return "-".join(parts)
