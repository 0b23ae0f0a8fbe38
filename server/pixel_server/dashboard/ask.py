"""Questions that stand over the dashboard until they are answered."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static


class Confirm(ModalScreen[bool]):
    """A yes or no; Enter alone is neither, so that no key pressed twice writes a file.

    Args:
        question: What is about to happen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("y", "answer(True)", "yes"), ("n,escape", "answer(False)", "no")]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and the keys."""
        with Vertical(classes="question"):
            yield Static(self._question, markup=False)
            yield Label("y yes   n no", classes="keys", markup=False)

    def action_answer(self, answer: bool) -> None:
        """Close with the answer."""
        self.dismiss(answer)


class AskReason(ModalScreen[str | None]):
    """A line of text; None when it was given up.

    Args:
        question: What is asked.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "give_up", "back")]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and a line to write into."""
        with Vertical(classes="question"):
            yield Static(self._question, markup=False)
            yield Input(placeholder="what is wrong with it", max_length=2000)
            yield Label("Enter reject   Escape back", classes="keys", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text; an empty one is no reason."""
        if event.value.strip():
            self.dismiss(event.value.strip())

    def action_give_up(self) -> None:
        """Close without a text."""
        self.dismiss(None)
