"""A model's review: what it is asked, what of its reply counts, and what is no review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from coach_testing.agents import ListedAgent
from coach_testing.desk import evidence
from coach_testing.reviews import finding, review_reply
from pixel_coach.agents.base import Reply
from pixel_coach.anchor_findings import MAX_FINDINGS, fingerprint
from pixel_coach.attempts import Proof, Review, ReviewFinding, ReviewUnavailable
from pixel_coach.errors import AgentUnavailable, BudgetExhausted, QuotaExceeded, ReplyBlocked
from pixel_coach.review import ReviewSubject, review
from pixel_coach.review_reply import review_schema
from pixel_coach.settings import CRITERIA, Criterion
from pixel_coach.tasks import Action, NewTask
from pixel_core.rules.coach import MODEL_RULES

OLD = "let a = 1;\nlet b = 2;\nlet c = 3;\n"
NEW = "let a = 1;\nlet b = 20;\nlet c = 3;\nlet d = 4;\n"
TASK = NewTask(workspace=Path("/w"), title="Change b", action=Action.EDIT_FILE, target="k.wgsl", description="b is to be twenty")


def subject(text: str = NEW, old: str | None = OLD, *, target: str = "k.wgsl") -> ReviewSubject:
    return ReviewSubject(task=replace(TASK, target=target), text=text, old_text=old, evidence=evidence(Proof.PROVED, text), round=2)


async def ask(*replies: str, of: ReviewSubject | None = None, dismissed: Sequence[str] = ()) -> tuple[Review, ListedAgent]:
    agent = ListedAgent("judge", replies)
    opinion = await review(agent, of or subject(), CRITERIA, dismissed=dismissed)
    assert isinstance(opinion, Review), opinion
    return opinion, agent


async def check_findings(given: Sequence[Mapping[str, Any]], *expected: str, of: ReviewSubject | None = None) -> None:
    """Of those findings, these are shown: `LINE RULE MESSAGE`."""
    opinion, _ = await ask(review_reply(8, given), of=of)
    assert [f"{found.line} {found.rule} {found.message}" for found in opinion.findings] == list(expected)


async def test_the_prompt_holds_task_evidence_text_and_rules_as_data() -> None:
    opinion, agent = await ask(review_reply(8))
    (prompt,) = agent.prompts
    assert "b is to be twenty" in prompt.user
    assert "proved\n- contract: passed: the contract says proved" in prompt.user
    assert "+    2| let b = 20;" in prompt.user
    assert "     1| let a = 1;" in prompt.user
    assert "-let b = 2;" in prompt.user
    assert "- PX801 incomplete: " in prompt.user
    assert "PX813" not in prompt.user
    assert (prompt.temperature, prompt.round) == (0.0, 2)
    assert prompt.json_schema == review_schema(CRITERIA)
    assert (opinion.reviewer, opinion.score, opinion.is_model) == ("judge listed", 8, True)


async def test_hidden_seeds_are_not_told() -> None:
    agent = ListedAgent("judge", [review_reply(8)])
    given = ReviewSubject(task=TASK, text=NEW, old_text=OLD, evidence=evidence(Proof.PROVED, NEW, seeds=(0, 987_654_321)))
    await review(agent, given, CRITERIA)
    assert "987654321" not in agent.prompts[0].user


def test_the_schema_asks_for_evidence_before_the_score_and_names_the_rules() -> None:
    schema = review_schema(CRITERIA)
    criterion = schema["properties"]["criteria"]["items"]
    assert list(criterion["properties"]) == ["criterion", "evidence", "score"]
    assert list(schema["properties"]) == ["criteria", "findings", "feedback"]
    assert schema["properties"]["findings"]["items"]["properties"]["rule"]["enum"] == list(MODEL_RULES)
    jsonschema.Draft202012Validator.check_schema(schema)


async def test_a_finding_needs_its_line() -> None:
    await check_findings([finding(line=2, quote="let b = 20;", message="why 20")], "2 PX803 why 20")
    await check_findings([finding(line=9, quote="  let d = 4;", message="moved")], "4 PX803 moved")
    await check_findings([finding(line=2, quote="let b = 21;", message="not there")])
    await check_findings([finding(line=2, quote="", message="no quote")])
    await check_findings([finding(line=2, quote="let b = 20;\nlet c = 3;", message="two lines")])


async def test_a_finding_on_an_unchanged_line_is_dropped() -> None:
    await check_findings([finding(line=3, quote="let c = 3;", message="old")])
    await check_findings([finding(line=3, quote="let c = 3;", message="all is new")], "3 PX803 all is new", of=subject(old=None))


async def test_findings_are_told_once_the_gravest_first_and_not_too_many() -> None:
    twice = [finding(line=2, quote="let b = 20;", message="Twice"), finding(line=4, quote="let d = 4;", message="twice")]
    await check_findings(twice, "2 PX803 Twice")
    several = [
        finding(line=2, quote="let b = 20;", message="small", severity="info"),
        finding(line=4, quote="let d = 4;", message="grave", severity="error", rule="PX802"),
    ]
    await check_findings(several, "4 PX802 grave", "2 PX803 small")
    text = "".join(f"let a{number} = {number};\n" for number in range(30))
    many = [finding(line=number + 1, quote=f"let a{number} = {number};", message=f"m{number}") for number in range(30)]
    opinion, _ = await ask(review_reply(8, many), of=subject(text, None))
    assert len(opinion.findings) == MAX_FINDINGS


async def test_rules_and_severities_cannot_be_made_up() -> None:
    await check_findings([finding(line=2, quote="let b = 20;", rule="PX999"), finding(line=2, quote="let b = 20;", severity="fatal")])
    await check_findings([finding(line=2, quote="let b = 20;", rule="PX813", message="ours alone")])


async def test_what_a_person_dismissed_is_not_told_again_wherever_the_line_moves() -> None:
    given = finding(line=2, quote="let b = 20;", message="why 20")
    seen = fingerprint("k.wgsl", ReviewFinding(rule="PX803", line=77, quote="  let b =  20;", message="in other words"))
    opinion, _ = await ask(review_reply(8, [given]), dismissed=[seen])
    assert opinion.findings == ()


async def test_a_finding_that_is_an_error_keeps_the_score_below_8() -> None:
    opinion, _ = await ask(review_reply(10, [finding(line=2, quote="let b = 20;", severity="error")]))
    assert opinion.score == 7
    opinion, _ = await ask(review_reply(10, [finding(line=2, quote="is not there", severity="error")]))
    assert opinion.score == 10, "what cannot be anchored does not count"


async def test_json_in_a_code_block_is_read() -> None:
    opinion, _ = await ask(f"```json\n{review_reply(8)}\n```")
    assert opinion.score == 8


REPLY = review_reply(8)
NOT_ASKED = "the review is not what was asked for: "


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("great work, 10/10", NOT_ASKED + "JSON is malformed: invalid character (byte 0)"),
        (REPLY[:-30], NOT_ASKED + "input data was truncated"),
        (REPLY.replace('"score": 8', '"score": 0', 1), NOT_ASKED + "expected `int` >= 1 - at `$.criteria[0].score`"),
        (REPLY.replace("gpu_integration", "vibes"), "the review does not judge each criterion once (missing: gpu_integration)"),
        (
            REPLY.replace("gpu_integration", "completeness"),
            "the review does not judge each criterion once (missing: gpu_integration)",
        ),
        (REPLY.replace("lines 1 to 9 show it (8)", ""), NOT_ASKED + "expected `str` of length >= 1 - at `$.criteria[0].evidence`"),
        (Reply(text=REPLY, is_complete=False, model="m"), "the review was cut off before it was complete"),
        (ReplyBlocked("the filter withheld it"), "the filter withheld it"),
        (AgentUnavailable("the key is wrong", hint="set GEMINI_API_KEY"), "the key is wrong"),
        (BudgetExhausted("$0.05 are spent", hint="raise limits.dollars"), "$0.05 are spent"),
        (QuotaExceeded("come back tomorrow", retry_after_s=40_000.0), "come back tomorrow"),
    ],
)
async def test_what_goes_wrong_is_no_score(reply: Any, reason: str) -> None:
    opinion = await review(ListedAgent("judge", [reply]), subject(), CRITERIA)
    assert isinstance(opinion, ReviewUnavailable)
    assert opinion.reason == reason
    assert "\n" not in opinion.reason


async def test_hints_and_waits_are_kept() -> None:
    opinion = await review(ListedAgent("judge", [QuotaExceeded("later", hint="wait", retry_after_s=90.0)]), subject(), CRITERIA)
    assert opinion == ReviewUnavailable(reason="later", hint="wait", retry_after_s=90.0)


async def test_a_short_wait_is_waited_twice_and_no_more() -> None:
    short = [QuotaExceeded("later", retry_after_s=0.001)] * 3
    opinion = await review(ListedAgent("judge", [*short[:2], REPLY]), subject(), CRITERIA)
    assert isinstance(opinion, Review)
    opinion = await review(ListedAgent("judge", short), subject(), CRITERIA)
    assert isinstance(opinion, ReviewUnavailable)


async def test_criteria_are_those_of_the_settings() -> None:
    asked = (Criterion(id="speed", question="Is it fast?"),)
    reply = '{"criteria": [{"criterion": "speed", "evidence": "a loop", "score": 9}], "findings": [], "feedback": ""}'
    agent = ListedAgent("judge", [reply])
    opinion = await review(agent, subject(), asked)
    assert isinstance(opinion, Review)
    assert opinion.score == 9
    assert "- `speed`: Is it fast?" in agent.prompts[0].user


async def test_secrets_stay_here_and_findings_on_their_lines_are_anchored() -> None:
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    text = f'let key = "{key}";\n'
    given = finding(line=1, quote='let key = "REMOVED_SECRET_1";', message="read it at run time")
    opinion, agent = await ask(review_reply(8, [given]), of=subject(text, None, target="a.txt"))
    assert key not in agent.prompts[0].user
    assert [(found.rule, found.quote) for found in opinion.findings] == [("PX814", text.strip()), ("PX803", text.strip())]
    assert opinion.score == 7
