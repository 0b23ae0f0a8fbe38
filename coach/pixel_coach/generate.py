"""Candidates of one round: the prompt is composed within the model's context, asked k times, and each reply made into a patch."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from pixel_coach.agents.base import Agent, OnText, Prompt, Reply, Usage
from pixel_coach.agents.estimate_tokens import TEMPLATE_TOKENS, estimate_tokens
from pixel_coach.attempts import Attempt, Evidence, Patch
from pixel_coach.context import GIVEN_CONTRACT, Context, select_context
from pixel_coach.errors import PromptTooLong, ReplyBlocked, ReplyCut, ReplyMalformed
from pixel_coach.extract_candidate import NoCandidate, extract_candidate
from pixel_coach.feedback import compose_feedback, last_attempt
from pixel_coach.quote import Quoter, read_prompt
from pixel_coach.secrets_scan import Redaction, remove_secrets
from pixel_coach.tasks import Action, Task
from pixel_core.kernels.contract_text import graft_contract

WARMER: Final = 0.25
"""How much warmer each further candidate of a round is drawn."""

MAX_TEMPERATURE: Final = 1.2
UNKNOWN_CONTEXT: Final = 4_096
"""Tokens that are taken for granted where a service does not say how large its context is."""

MIN_REPLY_TOKENS: Final = 512


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What one round is to write.

    Attributes:
        task: With its goal.
        run: Of the task.
        round: From 1.
        current: Text of the target now; None where it does not exist.
        base_sha256: Of its bytes.
        earlier: All attempts at the task, oldest first.
        found: What evidence says of the target as it is; None where nobody asked.
        candidates: How many texts.
        temperature: Of the first.
        context_tokens: Of the model; 0 when unknown.
    """

    task: Task
    run: int
    round: int
    current: str | None
    base_sha256: str | None
    earlier: Sequence[Attempt] = ()
    found: Evidence | None = None
    candidates: int = 1
    temperature: float = 0.2
    context_tokens: int = 0


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One reply, and the patch that it holds.

    Attributes:
        candidate: From 0.
        reply: In full; empty text where the service withheld or broke it off.
        patch: None when the reply held none.
        problem: Why it held none, a sentence for model and person.
        left_out: What did not fit the prompt.
    """

    candidate: int
    reply: Reply
    patch: Patch | None
    problem: str = ""
    left_out: tuple[str, ...] = ()


async def generate(agent: Agent, assignment: Assignment, on_text: OnText | None = None) -> AsyncGenerator[Draft]:
    """Ask for every candidate of a round, one after the other, and give each as soon as it is there.

    Raises:
        PromptTooLong: The target alone does not fit the model's context.
        AgentError: The service cannot be asked any more; a reply that was blocked, cut or malformed is a draft without patch.
    """
    share = 1.0
    candidate = 0
    while candidate < assignment.candidates:
        prompt, redaction, left_out = _compose(assignment, candidate, share)
        try:
            reply = await agent.ask(prompt, on_text)
        except PromptTooLong:
            # The estimate was too low for this vocabulary: once more with half of what may be left out.
            if share < 1.0:
                raise
            share = 0.5
            continue
        except (ReplyBlocked, ReplyCut, ReplyMalformed) as error:
            usage = Usage(prompt_tokens=error.prompt_tokens, reply_tokens=error.reply_tokens)
            reply = Reply(text="", is_complete=False, model="", usage=usage)
            yield Draft(candidate=candidate, reply=reply, patch=None, problem=str(error), left_out=left_out)
        else:
            yield _draft(assignment, candidate, reply, redaction, left_out)
        candidate += 1


def _draft(assignment: Assignment, candidate: int, reply: Reply, redaction: Redaction, left_out: tuple[str, ...]) -> Draft:
    task = assignment.task
    text = redaction.restore(reply.text)
    found = extract_candidate(text, task.target, assignment.current, is_complete=reply.is_complete)
    if isinstance(found, NoCandidate):
        return Draft(candidate=candidate, reply=reply, patch=None, problem=found.problem, left_out=left_out)
    text = found.text if task.action is Action.WRITE_CONTRACT else _with_contract(task, assignment.current, found.text)
    patch = Patch(path=task.target, base_sha256=assignment.base_sha256, new_text=text)
    return Draft(candidate=candidate, reply=reply, patch=patch, left_out=left_out)


def _with_contract(task: Task, current: str | None, text: str) -> str:
    """A shader under the contract that it is measured by, which most models leave out or write anew."""
    if Path(task.target).suffix.lower() != ".wgsl":
        return text
    given = task.metadata.get(GIVEN_CONTRACT)
    if current is None and isinstance(given, str):
        current = "".join(f"//! {line}".rstrip() + "\n" for line in given.splitlines())
    return text if current is None else graft_contract(current, text)


def _compose(assignment: Assignment, candidate: int, share: float) -> tuple[Prompt, Redaction, tuple[str, ...]]:
    """The prompt of a candidate: goal, context, feedback and last attempt, within a share of the room that the model's context has."""
    task = assignment.task
    total = assignment.context_tokens or UNKNOWN_CONTEXT
    last = last_attempt(assignment.earlier)
    last_text = last.patch.new_text if last is not None and last.patch is not None else None
    reply_tokens = _reply_tokens(assignment.current or last_text or "", total)
    system = read_prompt("generate")
    goal = _goal(task)
    room = total - reply_tokens - estimate_tokens(system + goal + _wanted(task)) - 2 * TEMPLATE_TOKENS
    feedback = compose_feedback(task, assignment.earlier, int(room * share) // 4, assignment.found)
    room -= estimate_tokens(feedback) + TEMPLATE_TOKENS
    indispensable = estimate_tokens(assignment.current or "") + TEMPLATE_TOKENS
    if last_text is not None and estimate_tokens(last_text) + indispensable <= room:
        room -= estimate_tokens(last_text) + TEMPLATE_TOKENS
    else:
        last_text = None
    context = select_context(task, assignment.current, room if share == 1.0 else max(indispensable, int(room * share)))
    redaction = remove_secrets(_user_text(task, goal, context, feedback, last_text))
    prompt = Prompt(
        system=system,
        user=redaction.text,
        max_tokens=reply_tokens,
        temperature=min(assignment.temperature + WARMER * candidate, MAX_TEMPERATURE),
        seed=zlib.crc32(f"{task.number} {assignment.run} {assignment.round} {candidate}".encode()) & 0x7FFFFFFF,
        task=task.title,
        round=assignment.round,
        candidate=candidate,
    )
    return prompt, redaction, context.left_out


def _goal(task: Task) -> str:
    action = read_prompt(task.action.value).format(target=task.target)
    contract = f"The contract is `{task.contract}`.\n" if task.contract else ""
    tests = f"These tests will be run: `{' '.join(task.test_command)}`.\n" if task.test_command else ""
    return f"# Task\n{action}{contract}{tests}"


def _wanted(task: Task) -> str:
    """The task's words. They may come from a comment in a file of a stranger, so they are data, too."""
    return f"{task.title}\n{task.description}".strip()


def _user_text(task: Task, goal: str, context: Context, feedback: str, last_text: str | None) -> str:
    quoter = Quoter((_wanted(task), feedback, last_text or "", *(part.text for part in context.parts)))
    parts = [goal, quoter.quote("What is wanted", _wanted(task))]
    parts += [quoter.quote(part.title, part.text) for part in context.parts]
    if feedback:
        parts.append(quoter.quote("What came of earlier attempts", feedback))
    if last_text is not None:
        parts.append(quoter.quote("Your last attempt, which was not accepted", last_text))
    parts.append("Write the file now." if last_text is None else "Mend what the feedback speaks of, and write the file again.")
    return "\n".join(parts)


def _reply_tokens(text: str, total: int) -> int:
    """Room for the reply: the text as it is and half of it more, or a usual file; at most two fifths of the context."""
    return max(min(max(estimate_tokens(text) * 3 // 2, 2_048), total * 2 // 5), MIN_REPLY_TOKENS)
