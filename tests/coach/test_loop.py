"""The loop: every way through it, over a real queue, with agents and a prover that know what they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from coach_testing.agents import ListedAgent
from coach_testing.desk import Desk, KnowingProver, fenced
from coach_testing.reviews import finding, review_reply
from pixel_coach.attempts import Proof
from pixel_coach.errors import AgentUnavailable, PromptTooLong, QuotaExceeded, ReplyBlocked
from pixel_coach.events import (
    CandidateWritten,
    Event,
    EvidenceGathered,
    Notice,
    ReviewArrived,
    ReviewStarted,
    RoundStarted,
    TaskEnded,
    TextArrived,
)
from pixel_coach.reject import reject
from pixel_coach.tasks import Action, Limits, State

GOOD, BAD, WEAK = fenced("good\n"), fenced("bad\n"), fenced("weak\n")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    desk.prover = KnowingProver({"bad": Proof.REFUTED, "plain": Proof.UNPROVED, "foreign": Proof.NOT_VALIDATED})
    yield desk
    desk.close()


def check(ended: TaskEnded, desk: Desk, state: State, reason: str) -> None:
    """The end that is told is the one that the queue keeps, and no lease is left."""
    task = desk.store.get(ended.task)
    assert (ended.state, ended.reason) == (state, reason)
    assert (task.state, task.reason) == (state, reason)
    assert desk.store.lease_of(ended.task) is None
    assert not list(desk.workspace.iterdir()), "the loop writes no file"


async def test_proved_and_scored_8_awaits_a_person(desk: Desk) -> None:
    ended = await desk.coach(desk.add(), ListedAgent("llama", [GOOD]), ListedAgent("judge", [review_reply(8)]))
    check(ended, desk, State.AWAITING_ACCEPTANCE, "proved; scored 8/10")
    (attempt,) = desk.store.attempts(ended.task)
    assert (attempt.is_best, ended.attempt, ended.score) == (True, attempt.number, 8)
    assert attempt.patch is not None
    assert attempt.patch.new_text == "good\n"
    assert [type(event).__name__ for event in desk.events if not isinstance(event, TextArrived)] == [
        "TaskStarted",
        "RoundStarted",
        "CandidateWritten",
        "EvidenceGathered",
        "ReviewStarted",
        "ReviewArrived",
    ]


async def test_a_refuted_attempt_goes_back_without_a_review(desk: Desk) -> None:
    writer, judge = ListedAgent("llama", [BAD, GOOD]), ListedAgent("judge", [review_reply(9)])
    ended = await desk.coach(desk.add(), writer, judge)
    check(ended, desk, State.AWAITING_ACCEPTANCE, "proved; scored 9/10")
    assert len(judge.prompts) == 1
    told = writer.prompts[1].user
    assert "Round 1: contract failed: the contract says refuted\nin 3 of 12 cases" in told
    assert "bad" in told.partition("Your last attempt")[2]


async def test_feedback_is_cumulative(desk: Desk) -> None:
    six = review_reply(6, [finding(line=1, quote="weak", message="name it", suggestion="strong")], feedback="too weak")
    writer = ListedAgent("llama", [BAD, WEAK, GOOD])
    ended = await desk.coach(desk.add(), writer, ListedAgent("judge", [six, review_reply(8)]))
    assert ended.state is State.AWAITING_ACCEPTANCE
    told = writer.prompts[2].user
    assert "Round 1: contract failed: the contract says refuted" in told
    assert "the review gave 6/10: too weak\n- line 1 (`weak`): name it; suggested: `strong`" in told
    assert told.index("Round 1") < told.index("Round 2")


async def test_after_the_last_round_the_best_attempt_is_kept_and_a_person_asked(desk: Desk) -> None:
    writer = ListedAgent("llama", [fenced("bad 1\n"), WEAK, fenced("bad 2\n")])
    ended = await desk.coach(desk.add(), writer, ListedAgent("judge", [review_reply(6)]))
    number = desk.store.attempts(ended.task)[1].number
    why = f"not accepted in 3 rounds; the best is attempt {number}: proved; scored 6/10, accepted from 8"
    check(ended, desk, State.NEEDS_HUMAN, why)
    assert [attempt.is_best for attempt in desk.store.attempts(ended.task)] == [False, True, False]


async def test_a_review_does_not_rescue_what_evidence_refuted(desk: Desk) -> None:
    judge = ListedAgent("judge", [])
    ended = await desk.coach(desk.add(limits=Limits(rounds=2)), ListedAgent("llama", [BAD, BAD]), judge)
    assert (ended.state, judge.prompts) == (State.NEEDS_HUMAN, [])
    assert ended.reason.startswith("not accepted in 2 rounds; the best is attempt")


async def test_unproved_can_only_await_acceptance_and_says_so(desk: Desk) -> None:
    ended = await desk.coach(desk.add(), ListedAgent("llama", [fenced("plain\n")]), ListedAgent("judge", [review_reply(10)]))
    check(ended, desk, State.AWAITING_ACCEPTANCE, "unproved: the contract says unproved; scored 10/10")


async def test_what_could_not_be_executed_needs_a_person_and_no_money_is_spent(desk: Desk) -> None:
    judge = ListedAgent("judge", [])
    ended = await desk.coach(desk.add(), ListedAgent("llama", [fenced("foreign\n")]), judge)
    check(ended, desk, State.NEEDS_HUMAN, "not validated: the contract says not_validated")


async def test_of_several_candidates_the_one_that_evidence_selects_is_reviewed(desk: Desk) -> None:
    desk.settings = replace(desk.settings, candidates=3)
    writer = ListedAgent("llama", [BAD, fenced("plain\n"), GOOD])
    judge = ListedAgent("judge", [review_reply(8)])
    ended = await desk.coach(desk.add(), writer, judge)
    check(ended, desk, State.AWAITING_ACCEPTANCE, "proved; scored 8/10")
    assert "good" in judge.prompts[0].user
    temperatures = [prompt.temperature for prompt in writer.prompts]
    assert temperatures == sorted(temperatures)
    assert len(set(temperatures)) == len({prompt.seed for prompt in writer.prompts}) == 3


async def test_the_same_text_is_not_proved_twice(desk: Desk) -> None:
    desk.settings = replace(desk.settings, candidates=3)
    await desk.coach(
        desk.add(limits=Limits(rounds=2)), ListedAgent("llama", [BAD, BAD, BAD, GOOD, BAD, BAD]), ListedAgent("j", [review_reply(8)])
    )
    assert desk.prover.gathered == ["bad\n", "good\n"]
    assert len(set(desk.prover.seeds)) == 2


async def test_a_text_that_was_reviewed_is_not_paid_for_again(desk: Desk) -> None:
    judge = ListedAgent("judge", [review_reply(6)])
    ended = await desk.coach(desk.add(), ListedAgent("llama", [WEAK, WEAK, WEAK]), judge)
    assert (ended.state, len(judge.prompts)) == (State.NEEDS_HUMAN, 1)


async def test_a_reply_without_code_is_kept_and_answered(desk: Desk) -> None:
    writer = ListedAgent("llama", ["I would rather talk about it.", GOOD])
    ended = await desk.coach(desk.add(), writer, ListedAgent("judge", [review_reply(8)]))
    assert ended.state is State.AWAITING_ACCEPTANCE
    first = desk.store.attempts(ended.task)[0]
    assert (first.patch, first.reply) == (None, "I would rather talk about it.")
    assert "another candidate: the reply holds no code block" in writer.prompts[1].user
    assert desk.told(CandidateWritten)[0].problem.startswith("the reply holds no code block")


async def test_a_blocked_reply_is_an_attempt_and_the_next_round_begins(desk: Desk) -> None:
    writer = ListedAgent("llama", [ReplyBlocked("the filter withheld the reply"), GOOD])
    ended = await desk.coach(desk.add(), writer, ListedAgent("judge", [review_reply(8)]))
    assert ended.state is State.AWAITING_ACCEPTANCE
    assert desk.told(CandidateWritten)[0].problem == "the filter withheld the reply"


async def test_without_a_reviewer_nothing_is_accepted_and_the_reason_is_told(desk: Desk) -> None:
    ended = await desk.coach(desk.add(), ListedAgent("llama", [GOOD]))
    check(ended, desk, State.AWAITING_ACCEPTANCE, "proved; unreviewed: no reviewer is set up")
    (attempt,) = desk.store.attempts(ended.task)
    assert attempt.review is not None
    assert (attempt.review.reviewer, attempt.review.is_model, ended.score) == ("rules", False, None)
    assert attempt.review_unavailable is not None
    assert attempt.review_unavailable.reason == "no reviewer is set up"


async def test_without_a_reviewer_the_local_rules_send_a_stub_back(desk: Desk) -> None:
    writer = ListedAgent("llama", [fenced("x = 1  # TODO write it\n"), fenced("x = 2\n")])
    ended = await desk.coach(desk.add(), writer)
    assert ended.state is State.AWAITING_ACCEPTANCE
    told = "local rules: line 1: `TODO` says that something is missing here"
    assert told in writer.prompts[1].user
    assert f"local rules: {told}" not in writer.prompts[1].user


async def test_the_local_rules_look_only_at_what_the_author_wrote(desk: Desk) -> None:
    (desk.workspace / "notes.txt").write_text("x = 1  # TODO by a person\n")
    writer = ListedAgent("llama", [fenced("x = 1  # TODO by a person\ny = 2\n")])
    ended = await desk.coach(desk.add(action=Action.EDIT_FILE), writer)
    assert (ended.state, ended.reason) == (State.AWAITING_ACCEPTANCE, "proved; unreviewed: no reviewer is set up")


async def test_nothing_goes_to_a_remote_reviewer_before_a_person_allows_it(desk: Desk) -> None:
    judge = ListedAgent("gemini", [review_reply(8)], is_local=False)
    ended = await desk.coach(desk.add(), ListedAgent("llama", [GOOD]), judge)
    why = "review not allowed for this workspace: its texts would go to gemini"
    check(ended, desk, State.AWAITING_ACCEPTANCE, f"proved; unreviewed: {why}")
    assert judge.prompts == []
    assert desk.told(ReviewStarted) == []
    assert desk.told(ReviewArrived)[0].unavailable.hint == "`pixel-lsp agents --allow-review` allows it"
    desk.store.allow_review(desk.workspace, True)
    ended = await desk.coach(desk.add(), ListedAgent("llama", [GOOD]), judge)
    check(ended, desk, State.AWAITING_ACCEPTANCE, "proved; scored 8/10")
    assert ended.dollars == pytest.approx((1000 * 0.30 + 100 * 2.50) / 1e6)


async def test_nothing_goes_to_a_remote_generator_either(desk: Desk) -> None:
    writer = ListedAgent("openai", [], is_local=False)
    ended = await desk.coach(desk.add(), writer)
    check(ended, desk, State.NEEDS_HUMAN, "writing not allowed for this workspace: its texts would go to openai")


async def test_a_review_that_fails_is_no_score(desk: Desk) -> None:
    judge = ListedAgent("judge", [QuotaExceeded("no requests left today", hint="wait until midnight Pacific time")])
    ended = await desk.coach(desk.add(), ListedAgent("llama", [GOOD]), judge)
    check(ended, desk, State.AWAITING_ACCEPTANCE, "proved; unreviewed: no requests left today")
    assert ended.score is None


async def test_a_generator_that_is_gone_gives_the_task_back(desk: Desk) -> None:
    def go_down(_: object) -> str:
        writer.is_up = False
        raise AgentUnavailable("nothing listens at http://127.0.0.1:11434")

    writer = ListedAgent("ollama", [go_down])
    ended = await desk.coach(desk.add(), writer)
    assert (ended.state, ended.reason) == (State.PENDING, "nothing listens at http://127.0.0.1:11434")
    assert desk.store.get(ended.task).state is State.PENDING


async def test_a_task_that_only_this_prompt_fails_needs_a_person(desk: Desk) -> None:
    ended = await desk.coach(desk.add(), ListedAgent("ollama", [AgentUnavailable("the server answered 500")]))
    check(ended, desk, State.NEEDS_HUMAN, "the server answered 500")


async def test_a_prompt_that_proves_too_long_is_asked_once_more_with_less(desk: Desk) -> None:
    writer = ListedAgent("llama", [PromptTooLong("9,000 tokens do not fit 8,192"), GOOD])
    ended = await desk.coach(desk.add(), writer, ListedAgent("judge", [review_reply(8)]))
    assert ended.state is State.AWAITING_ACCEPTANCE
    assert len(desk.told(CandidateWritten)) == 1


async def test_what_does_not_fit_the_prompt_is_said_once(desk: Desk) -> None:
    (desk.workspace / "tools.py").write_text(f"def long_helper(a, b={'1' * 500}):\n    pass\n" * 30)
    (desk.workspace / "notes.txt").write_text("x\n" * 700)
    desk.settings = replace(desk.settings, candidates=2)
    task = desk.add(description="use long_helper")
    await desk.coach(task, ListedAgent("llama", [GOOD, WEAK], context_tokens=4096), ListedAgent("judge", [review_reply(8)]))
    assert [notice.message for notice in desk.told(Notice)] == [
        "left out of the prompt, since the model's context has no room: Declarations in tools.py"
    ]


async def test_a_target_that_does_not_fit_the_context_needs_a_person(desk: Desk) -> None:
    (desk.workspace / "notes.txt").write_text("word " * 20_000)
    ended = await desk.coach(desk.add(), ListedAgent("llama", [], context_tokens=4096))
    assert ended.state is State.NEEDS_HUMAN
    assert ended.reason.startswith("notes.txt and its contract take about ")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (".github/workflows/ci.yml", ".github/workflows/ci.yml is protected: `.github` is configuration"),
        ("../outside.txt", "../outside.txt is refused: `..` is no name of a file or folder"),
        ("tests/test_it.py", "tests/test_it.py is a test, and this task is `write_file`"),
    ],
)
async def test_a_protected_target_is_blocked_before_anything_is_asked(desk: Desk, target: str, reason: str) -> None:
    ended = await desk.coach(desk.add(target=target), ListedAgent("llama", []))
    check(ended, desk, State.BLOCKED, reason)


async def test_a_file_of_secrets_is_never_read(desk: Desk) -> None:
    task = desk.add(target="prod.env", action=Action.REVIEW)
    (desk.workspace / "prod.env").write_text("TOKEN=1")
    ended = await desk.coach(task, None, ListedAgent("judge", []))
    assert (ended.state, ended.reason) == (State.BLOCKED, "prod.env is a file of secrets, which no model is shown")


async def test_gemini_only_reviews_what_a_person_wrote(desk: Desk) -> None:
    (desk.workspace / "notes.txt").write_text("good work\n")
    ended = await desk.coach(desk.add(), None, ListedAgent("judge", [review_reply(8)]))
    assert (ended.state, ended.reason, ended.score) == (State.AWAITING_ACCEPTANCE, "proved; scored 8/10", 8)
    (attempt,) = desk.store.attempts(ended.task)
    assert attempt.agent == "person"
    assert (desk.workspace / "notes.txt").read_text() == "good work\n"


async def test_gemini_only_keeps_the_findings_of_a_low_score(desk: Desk) -> None:
    (desk.workspace / "notes.txt").write_text("weak work\n")
    judge = ListedAgent("judge", [review_reply(5, [finding(line=1, quote="weak work", message="say more")])])
    ended = await desk.coach(desk.add(action=Action.REVIEW), None, judge)
    assert (ended.state, ended.reason) == (State.NEEDS_HUMAN, "scored 5/10")
    (attempt,) = desk.store.attempts(ended.task)
    assert attempt.review is not None
    assert [found.message for found in attempt.review.findings] == ["say more"]


async def test_a_review_that_cannot_be_had_is_none(desk: Desk) -> None:
    (desk.workspace / "notes.txt").write_text("as it is\n")
    ended = await desk.coach(desk.add(action=Action.REVIEW), ListedAgent("writer", []), None)
    assert (ended.state, ended.score) == (State.NEEDS_HUMAN, None)
    assert ended.reason == "not reviewed: no reviewer is set up"


async def test_gemini_only_has_nothing_to_review_where_there_is_no_file(desk: Desk) -> None:
    ended = await desk.coach(desk.add(), None, ListedAgent("judge", []))
    check(ended, desk, State.NEEDS_HUMAN, "notes.txt does not exist, and there is no model to write it")


async def test_stopping_drops_the_text_closes_the_socket_and_gives_the_task_back(desk: Desk) -> None:
    def stop_soon(event: Event) -> None:
        if isinstance(event, RoundStarted):
            desk.stop.set()

    writer = ListedAgent("llama", [None])
    ended = await desk.coach(desk.add(), writer, tell=stop_soon)
    assert (ended.state, ended.reason) == (State.PENDING, "stopped")
    assert writer.was_cancelled
    assert desk.store.attempts(ended.task) == ()
    task = desk.store.get(ended.task)
    assert (task.state, desk.store.lease_of(task.number)) == (State.PENDING, None)


async def test_a_task_that_another_coach_took_is_left_in_peace(desk: Desk) -> None:
    def take_over(event: Event) -> None:
        if isinstance(event, RoundStarted):
            desk.store.change_state(event.task, State.CANCELLED, "not needed any more")

    writer = ListedAgent("llama", [None])
    ended = await desk.coach(desk.add(), writer, lease_s=0.06, tell=take_over)
    assert (ended.state, writer.was_cancelled) == (State.CANCELLED, True)
    assert ended.reason == f"task {ended.task} is cancelled by now and no longer this coach's"


async def test_a_lease_is_renewed_while_the_model_writes(desk: Desk) -> None:
    expiries: list[float] = []

    async def watch() -> None:
        while True:
            lease = desk.store.lease_of(1)
            if lease is not None and lease.expires_at not in expiries:
                expiries.append(lease.expires_at)
                if len(expiries) == 4:
                    desk.stop.set()
            await asyncio.sleep(0.005)

    watching = asyncio.ensure_future(watch())
    await desk.coach(desk.add(), ListedAgent("llama", [None]), lease_s=0.06)
    watching.cancel()
    assert expiries == sorted(expiries)
    assert len(expiries) == 4


async def test_time_is_limited(desk: Desk) -> None:
    ended = await desk.coach(desk.add(limits=Limits(seconds=0.05)), ListedAgent("llama", [None]))
    check(ended, desk, State.NEEDS_HUMAN, "not done within 0.05 s")


async def test_a_persons_refusal_is_told_and_earlier_runs_count(desk: Desk) -> None:
    task = desk.add()
    await desk.coach(task, ListedAgent("llama", [WEAK]), ListedAgent("judge", [review_reply(8)]))
    reject(desk.store, task.number, "too short for my taste", retry=True)
    writer = ListedAgent("llama", [GOOD])
    await desk.coach(task, writer, ListedAgent("judge", [review_reply(8)]))
    assert "A person refused an attempt: too short for my taste" in writer.prompts[0].user
    assert "weak" in writer.prompts[0].user.partition("Your last attempt")[2]
    assert [attempt.run for attempt in desk.store.attempts(task.number)] == [1, 2]


async def test_a_cancelled_call_gives_the_task_back(desk: Desk) -> None:
    task = desk.add()
    working = asyncio.ensure_future(desk.coach(task, ListedAgent("llama", [None])))
    while not desk.told(RoundStarted):
        await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert (desk.store.get(task.number).state, desk.store.lease_of(task.number)) == (State.PENDING, None)


async def test_what_is_told_has_the_numbers_of_what_is_stored(desk: Desk) -> None:
    ended = await desk.coach(desk.add(), ListedAgent("llama", [BAD, GOOD]), ListedAgent("judge", [review_reply(8)]))
    stored = desk.store.attempts(ended.task)
    assert [event.attempt for event in desk.told(EvidenceGathered)] == [attempt.number for attempt in stored]
    assert [event.round for event in desk.told(RoundStarted)] == [attempt.round for attempt in stored] == [1, 2]
