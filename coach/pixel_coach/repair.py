"""Repairing a kernel by one-token edits: the places are ordered by suspicion, a model under a grammar chooses what stands there instead.

A small model cannot write a kernel, and it can tell what is likely at one place of one. So each candidate asks about one token of a
suspicious line: the grammar holds the line up to that token as it is, and then any other token of its kind. Evidence selects.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Final

from pixel_coach.agents.base import Agent, OnText, Prompt
from pixel_coach.attempts import Patch
from pixel_coach.generate import Assignment, Draft
from pixel_coach.quote import read_prompt
from pixel_coach.secrets_scan import remove_secrets
from pixel_coach.suspicious_lines import named_lines, suspicious_lines
from pixel_coach.token_edits import EditableToken, token_edits
from pixel_core.source import SourceText

CANDIDATES: Final = 32
REPAIR_TEMPERATURE: Final = 0.2
_MAX_REPLY_TOKENS: Final = 96


async def repair(agent: Agent, assignment: Assignment, failure: str, on_text: OnText | None = None) -> AsyncGenerator[Draft]:
    """Write `CANDIDATES` texts that differ from the current one in one token each, the most suspicious places first.

    Args:
        agent: One that takes grammars.
        assignment: With the kernel as it is; its number of candidates is not looked at.
        failure: What evidence says of the kernel: lines that it names are suspected first.
        on_text: Called with each piece of text.

    Raises:
        AgentError: The model cannot be asked.
    """
    text = assignment.current or ""
    name = assignment.task.target.rpartition("/")[2]
    for number, slot in enumerate(order_slots(text, failure, name)[:CANDIDATES]):
        reply = await agent.ask(_compose(assignment, text, slot, number), on_text)
        head = line_head(text, slot)
        chosen = reply.text[len(head) :]
        if not reply.text.startswith(head) or chosen not in slot.alternatives:
            yield Draft(candidate=number, reply=reply, patch=None, problem="the reply did not follow the grammar")
            continue
        patch = Patch(path=assignment.task.target, base_sha256=assignment.base_sha256, new_text=replace_token(text, slot, chosen))
        yield Draft(candidate=number, reply=reply, patch=patch)


def order_slots(text: str, failure: str, name: str) -> Sequence[EditableToken]:
    """The editable tokens of a kernel, in the order in which they are tried.

    The later the slice reaches a token's line, and the more alternatives it has, the less one try is worth: their product orders them.

    Args:
        text: The kernel.
        failure: Text of a check that names lines as `NAME:LINE:COLUMN`.
        name: Of the file in that text.
    """
    tokens = token_edits(text)
    lines = suspicious_lines(text, named_lines(failure, name), {token.line for token in tokens})
    rank = {line: number for number, line in enumerate(lines, start=1)}
    return sorted(tokens, key=lambda token: (rank[token.line] * len(token.alternatives), token.start))


def slot_grammar(text: str, slot: EditableToken) -> str:
    """The grammar of one place, in GBNF (llama.cpp, grammars/README.md): the line up to the token, then one of its alternatives."""
    choices = " | ".join(_literal(other) for other in slot.alternatives)
    return f"root ::= {_literal(line_head(text, slot))} ({choices})\n"


def line_head(text: str, slot: EditableToken) -> str:
    """What stands on the token's line before it, without indentation."""
    return text[text.rfind("\n", 0, slot.start) + 1 : slot.start].lstrip()


def replace_token(text: str, slot: EditableToken, chosen: str) -> str:
    """The text with another token in that place."""
    return text[: slot.start] + chosen + text[slot.end :]


def _compose(assignment: Assignment, text: str, slot: EditableToken, number: int) -> Prompt:
    code = "\n".join(_code_lines(text))
    line = SourceText(Path(assignment.task.target), text).line(slot.line).strip()
    # The code comes first: it is the same for every place, so that the service reads it once. No marker fences it, since the grammar leaves
    # nothing that a text in the code could talk the model into.
    question = f"This WGSL code has one wrong word. Write the line `{line}` again without the mistake."
    user = remove_secrets(f"```wgsl\n{code}\n```\n{question}").text
    return Prompt(
        system=read_prompt("repair"),
        user=user,
        max_tokens=_MAX_REPLY_TOKENS,
        temperature=REPAIR_TEMPERATURE,
        seed=zlib.crc32(f"{assignment.task.number} {assignment.run} {number}".encode()) & 0x7FFFFFFF,
        grammar=slot_grammar(text, slot),
        task=assignment.task.title,
        round=assignment.round,
        candidate=number,
    )


def _code_lines(text: str) -> list[str]:
    """The kernel without contract and comments, which tell a small model nothing and fill its context."""
    lines = (line.partition(" //")[0].rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith("//")]


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{escaped}"'
