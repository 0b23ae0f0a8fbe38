"""Repair by one-token edits: the space, the order of suspicion, the grammar, and a whole repair with real evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from coach_testing.agents import ListedAgent
from coach_testing.desk import Desk, KnowingProver
from pixel_coach.agents.base import Prompt
from pixel_coach.attempts import Proof
from pixel_coach.events import CandidateWritten, RoundStarted
from pixel_coach.evidence import Prover
from pixel_coach.generate import Assignment
from pixel_coach.repair import CANDIDATES, line_head, order_slots, repair, replace_token, slot_grammar
from pixel_coach.suspicious_lines import named_lines, suspicious_lines
from pixel_coach.tasks import Action, Limits, State, Task
from pixel_coach.token_edits import token_edits
from pixel_core.kernels.load_shader import understand
from pixel_core.source import SourceText

SHADERS = Path(__file__).parents[2] / "shaders"

KERNEL = """\
struct Size { m: u32, n: u32, }
@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read_write> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> b: array<f32>;
const STEP = 2u;

fn twice(x: f32) -> f32 { return x * 2.0; }
fn half(x: f32) -> f32 { return x * 0.5; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    var sum = -1.0;
    for (var j = 0u; j < size.m; j++) {
        sum += max(a[i], twice(b[j]));
    }
    if (i >= size.n) { return; }
    a[i] = sum;
}
"""


def check_edits(line: int, expected: dict[str, str]) -> None:
    """What could stand in the place of each editable token of a line."""
    found = {token.text: " ".join(token.alternatives) for token in token_edits(KERNEL) if token.line == line}
    assert found == expected


def test_each_token_has_others_of_its_kind() -> None:
    check_edits(12, {"id": "size", "x": "y z w"})
    check_edits(
        14,
        {"0u": "1u 2u", "j": "sum i", "<": "<= > >= == !=", "size": "id", "m": "n", "++": "--"},
    )
    check_edits(
        15,
        {
            "sum": "j i",
            "+=": "= -= *= /= %= &= |= ^= <<= >>=",
            "max": "min",
            "a": "b",
            "i": "j sum",
            "twice": "half",
            "b": "a",
            "j": "sum i",
        },
    )
    check_edits(17, {"i": "j sum", ">=": "< <= > == !=", "size": "id", "n": "m"})


def test_declared_names_types_and_attributes_stay() -> None:
    lines = {token.line for token in token_edits(KERNEL)}
    assert lines.isdisjoint({1, 2, 3, 4, 10, 11})
    check_edits(5, {"2u": "1u 3u 4u 0u"})
    check_edits(13, {"1.0": "0.0 2.0 0.5"})


@pytest.mark.parametrize("path", sorted(SHADERS.glob("*.wgsl")), ids=lambda path: path.stem)
def test_every_edit_changes_one_token_and_can_be_undone_by_another(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tokens = token_edits(text)
    assert len(tokens) > 20
    for token in tokens[:: max(len(tokens) // 12, 1)]:
        assert text[token.start : token.end] == token.text
        for other in token.alternatives:
            assert other != token.text
            changed = replace_token(text, token, other)
            assert changed[: token.start] + changed[token.start + len(other) :] == text[: token.start] + text[token.end :]


@pytest.mark.parametrize("text", ["", "fn", "fn f( { } ] [", "fn f() { a[", "}" * 500, "fn f() {" + "((" * 2000, "\0\ud800", "= += ++ ]"])
def test_half_written_kernels_have_edits_too(text: str) -> None:
    tokens = token_edits(text)
    assert suspicious_lines(text, {1}, {token.line for token in tokens})[:0] == ()


def test_lines_are_suspected_along_what_feeds_the_store() -> None:
    candidates = {token.line for token in token_edits(KERNEL)}
    assert suspicious_lines(KERNEL, {18}, candidates) == (18, 12, 13, 15, 7, 14, 5, 8, 17)


def test_without_a_named_line_the_order_is_that_of_the_text() -> None:
    assert suspicious_lines(KERNEL, (), {15, 12, 13}) == (12, 13, 15)


def test_lines_are_read_from_a_failure() -> None:
    assert named_lines("error[PX401]: wrong\n  k.wgsl:18:5\n  other.wgsl:3:1\n  -> k.wgsl:7:2", "k.wgsl") == {18, 7}


def test_the_grammar_holds_the_line_up_to_the_token_and_its_alternatives() -> None:
    slots = {(slot.line, slot.text): slot for slot in token_edits(KERNEL)}
    assert slot_grammar(KERNEL, slots[14, "<"]) == 'root ::= "for (var j = 0u; j " ("<=" | ">" | ">=" | "==" | "!=")\n'
    assert slot_grammar(KERNEL, slots[12, "x"]) == 'root ::= "let i = id." ("y" | "z" | "w")\n'


def test_places_with_few_alternatives_on_suspicious_lines_come_first() -> None:
    order = [(slot.line, slot.text) for slot in order_slots(KERNEL, "k.wgsl:18:5: wrong", "k.wgsl")]
    assert order[:4] == [(18, "a"), (12, "id"), (18, "i"), (18, "sum")]
    assert len(order) == len(token_edits(KERNEL))


def follow(prompt: Prompt) -> str:
    """The first sentence of the grammar of a prompt."""
    assert prompt.grammar is not None
    match = re.fullmatch(r'root ::= "(.*)" \("(.*?)"[ )].*\n', prompt.grammar)
    assert match is not None
    return (match[1] + match[2]).replace('\\"', '"').replace("\\\\", "\\")


async def test_each_candidate_is_the_kernel_with_one_token_replaced() -> None:
    task = Task(number=1, workspace=Path("/w"), title="Repair", action=Action.REPAIR_KERNEL, target="k.wgsl")
    assignment = Assignment(task=task, run=1, round=1, current=KERNEL, base_sha256="0")
    agent = ListedAgent("llama", [follow] * CANDIDATES)
    drafts = [draft async for draft in repair(agent, assignment, "k.wgsl:18:5")]
    texts = [draft.patch.new_text for draft in drafts if draft.patch is not None]
    assert len(texts) == len(set(texts)) == min(CANDIDATES, len(token_edits(KERNEL)))
    slots = order_slots(KERNEL, "k.wgsl:18:5", "k.wgsl")
    assert texts == [replace_token(KERNEL, slot, slot.alternatives[0]) for slot in slots[: len(texts)]]
    code = {prompt.user.partition("This WGSL code")[0] for prompt in agent.prompts}
    assert len(code) == 1, "the service reads the code once"
    assert all(line_head(KERNEL, slot) in follow(prompt) for slot, prompt in zip(slots, agent.prompts, strict=False))


async def test_a_reply_beside_the_grammar_is_no_candidate() -> None:
    task = Task(number=1, workspace=Path("/w"), title="Repair", action=Action.REPAIR_KERNEL, target="k.wgsl")
    assignment = Assignment(task=task, run=1, round=1, current="fn f() { let a = 1; }", base_sha256="0")
    (draft,) = [draft async for draft in repair(ListedAgent("llama", ["let it be"]), assignment, "")]
    assert (draft.patch, draft.problem) == (None, "the reply did not follow the grammar")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def repair_task(desk: Desk, text: str, **fields: object) -> Task:
    (desk.workspace / "k.wgsl").write_text(text)
    return desk.add(title="Repair k", action=Action.REPAIR_KERNEL, target="k.wgsl", **fields)


async def test_a_repair_ends_with_the_first_candidate_that_is_proved(desk: Desk) -> None:
    desk.prover = KnowingProver({"sum += max": Proof.REFUTED})
    agent = ListedAgent("llama", [follow] * CANDIDATES)
    agent.takes_grammar = True
    ended = await desk.coach(repair_task(desk, KERNEL), agent)
    assert ended.state is State.AWAITING_ACCEPTANCE
    best = desk.store.attempt(ended.attempt or 0)
    assert best.patch is not None
    assert "sum += min(a[i]" in best.patch.new_text
    assert desk.told(RoundStarted)[0].candidates == CANDIDATES
    assert len(desk.told(CandidateWritten)) == 7, "the seventh place of the text, since the failure names no line"


async def test_after_the_grammar_the_model_writes_freely_and_knows_what_failed(desk: Desk) -> None:
    desk.prover = KnowingProver({"sum": Proof.REFUTED})
    slots = min(CANDIDATES, len(token_edits(KERNEL)))
    agent = ListedAgent("llama", [*[follow] * slots, "```wgsl\nfn main() { let a = 1; }\n```"])
    agent.takes_grammar = True
    ended = await desk.coach(repair_task(desk, KERNEL), agent)
    assert ended.state is State.AWAITING_ACCEPTANCE
    assert agent.prompts[-1].grammar is None
    assert "The file as it is now: contract failed: the contract says refuted\nin 3 of 12 cases" in agent.prompts[-1].user


async def test_a_model_without_grammar_writes_freely_from_the_start(desk: Desk) -> None:
    desk.prover = KnowingProver({"sum": Proof.REFUTED})
    agent = ListedAgent("ollama", ["```wgsl\nfn main() { let a = 1; }\n```"])
    ended = await desk.coach(repair_task(desk, KERNEL, limits=Limits(rounds=1)), agent)
    assert ended.state is State.AWAITING_ACCEPTANCE


async def test_a_kernel_that_is_right_is_not_repaired(desk: Desk) -> None:
    agent = ListedAgent("llama", [])
    ended = await desk.coach(repair_task(desk, KERNEL), agent)
    assert (ended.state, ended.reason) == (State.NEEDS_HUMAN, "nothing to repair: the kernel as it is fulfils its contract")


@pytest.mark.device
async def test_a_real_kernel_is_repaired_by_real_evidence(desk: Desk) -> None:
    right = (SHADERS / "histogram.wgsl").read_text(encoding="utf-8")
    wrong = right.replace("global.y * size.width + global.x", "global.y * size.height + global.x")
    assert understand(SourceText(Path("histogram.wgsl"), wrong), None).compiles

    def model(prompt: Prompt) -> str:
        """Mends the one line, and goes wrong everywhere else."""
        assert prompt.grammar is not None
        if prompt.grammar.startswith('root ::= "let pixel = pixels[global.y * size." ('):
            return "let pixel = pixels[global.y * size.width"
        return follow(prompt)

    agent = ListedAgent("scripted", [model] * CANDIDATES)
    agent.takes_grammar = True
    async with Prover(desk.workspace, desk.settings) as prover:
        desk.prover = prover  # type: ignore[assignment]
        (desk.workspace / "histogram.wgsl").write_text(wrong)
        task = desk.add(title="Repair", action=Action.REPAIR_KERNEL, target="histogram.wgsl")
        ended = await desk.coach(task, agent)
    assert ended.state is State.AWAITING_ACCEPTANCE
    best = desk.store.attempt(ended.attempt or 0)
    assert best.patch is not None
    assert best.patch.new_text == right
