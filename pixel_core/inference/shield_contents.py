"""Keeps what people write in messages from steering the model: `<|im_end|>` in a message is text, in a chat template it is a token.

Both become one text when the template is rendered. So each such text in a message is replaced by a mark before, and the marks say
afterwards which parts of the rendered text are plain. What the template does with a message (trimming, joining) it does with the
marks, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

_PRIVATE_USE: Final = 0xE000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShieldedMessages:
    """Messages whose special texts are marks.

    Attributes:
        messages: `role` and `content` of each.
        opening: Character before the number of a text.
        closing: Character behind it.
        texts: The texts that marks stand for, by number.
    """

    messages: tuple[Mapping[str, str], ...]
    opening: str
    closing: str
    texts: tuple[str, ...]

    def parts(self, rendered: str) -> Iterator[tuple[str, bool]]:
        """The rendered text in parts, each with whether it comes of a mark, and is plain text whatever it looks like."""
        first, *rest = rendered.split(self.opening)
        yield first, False
        for piece in rest:
            number, found, behind = piece.partition(self.closing)
            if found and number.isdecimal() and int(number) < len(self.texts):
                yield self.texts[int(number)], True
                yield behind, False
            else:
                # The template cut a mark into pieces; what is left of it means nothing.
                yield piece, False


def shield_contents(messages: Sequence[Mapping[str, str]], special: Sequence[str]) -> ShieldedMessages:
    """Replace special texts in messages, role and content alike, by marks.

    Args:
        messages: `role` and `content` of each.
        special: Texts that are tokens of their own, longer ones before those that begin them.
    """
    everything = "".join(text for message in messages for text in message.values())
    found = [text for text in special if text and text in everything]
    unused = (character for code in count(_PRIVATE_USE) if (character := chr(code)) not in everything)
    opening, closing = next(unused), next(unused)

    def shielded(text: str) -> str:
        for number, each in enumerate(found):
            text = text.replace(each, f"{opening}{number}{closing}")
        return text

    return ShieldedMessages(
        messages=tuple({name: shielded(text) for name, text in message.items()} for message in messages),
        opening=opening,
        closing=closing,
        texts=tuple(found),
    )
