"""The prompt of a round: what it holds, what fits, what stays out; and the patches that come of replies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coach_testing.agents import ListedAgent
from coach_testing.desk import evidence, fenced
from pixel_coach.agents.base import Prompt
from pixel_coach.agents.estimate_tokens import estimate_tokens
from pixel_coach.attempts import Attempt, Patch, Proof, Review
from pixel_coach.context import select_context
from pixel_coach.errors import PromptTooLong
from pixel_coach.generate import Assignment, Draft, generate
from pixel_coach.tasks import Action, Task
from pixel_core.kernels.contract_text import contract_text
from pixel_core.source import SourceText

CONTRACT = (
    '//! Doubles.\n//!\n//! [double]\n//! dims = "n"\n//! shapes = { x = "n" }\n//! roles = { x = "inout" }\n'
    '//! dispatch = "ceil(n / 64)"\n//! reference = "ref.py:double"\n//! cases = ["n=1"]\n'
)
KERNEL = f"{CONTRACT}\n@group(0) @binding(0) var<storage, read_write> x: array<f32>;\n@compute @workgroup_size(64)\nfn double() {{ }}\n"


def task(workspace: Path, **fields: Any) -> Task:
    given = {"title": "Write notes", "action": Action.WRITE_FILE, "target": "notes.txt", "number": 1, **fields}
    return Task(workspace=workspace, **given)


async def drafts(
    workspace: Path, *replies: Any, current: str | None = None, fields: dict[str, Any] | None = None, **more: Any
) -> list[Draft]:
    given = {"task": task(workspace, **(fields or {})), "run": 1, "round": 1, "current": current, "base_sha256": None, **more}
    return [draft async for draft in generate(ListedAgent("llama", replies), Assignment(**given))]


async def prompt_of(workspace: Path, *, current: str | None = None, fields: dict[str, Any] | None = None, **more: Any) -> Prompt:
    agent = ListedAgent("llama", [fenced("x\n")])
    given = {"task": task(workspace, **(fields or {})), "run": 1, "round": 1, "current": current, "base_sha256": None, **more}
    async for _ in generate(agent, Assignment(**{"context_tokens": 16_384, **given})):
        pass
    return agent.prompts[0]


async def test_the_prompt_holds_goal_target_contract_reference_and_declarations(tmp_path: Path) -> None:
    (tmp_path / "ref.py").write_text("def double(x, n):\n    return {'y': x * 2}\n")
    (tmp_path / "scale.wgsl").write_text("// Scales.\nfn scale_by(x: f32) -> f32 { return x * 3.0; }\nfn unrelated() { }\n")
    (tmp_path / "tools.py").write_text('class Scaler:\n    """Scales."""\n    def run(self, x):\n        """Run it."""\n        return x\n')
    fields = {"title": "Double with scale_by", "description": "as Scaler does", "target": "double.wgsl", "contract": "double"}
    prompt = await prompt_of(tmp_path, current=KERNEL, fields=fields)
    for expected in (
        "Write the file double.wgsl.",
        "Double with scale_by\nas Scaler does",
        "The contract is `double`.",
        "The current text of double.wgsl",
        KERNEL.strip(),
        "## The reference, ref.py",
        "return {'y': x * 2}",
        "## Declarations in scale.wgsl",
        "fn scale_by(x: f32) -> f32",
        "class Scaler:  # Scales.\n    def run(self, x):  # Run it.",
    ):
        assert expected in prompt.user
    assert "unrelated" not in prompt.user
    assert "x * 3.0" not in prompt.user, "declarations, not bodies"


@pytest.mark.parametrize("name", [".env", "secrets.py", "ignored.py", ".hidden/a.py", "node_modules/a.py", "link.py", "vendor/a.py"])
async def test_what_no_prompt_may_hold(tmp_path: Path, name: str) -> None:
    workspace = tmp_path / "workspace"
    outside = tmp_path / "outside.py"
    (workspace / name).parent.mkdir(parents=True)
    text = "def helper_function():\n    pass\n"
    outside.write_text(text)
    if name == "link.py":
        (workspace / name).symlink_to(outside)
    else:
        (workspace / name).write_text(text)
    (workspace / ".gitignore").write_text("ignored.py\nvendor/\n")
    prompt = await prompt_of(workspace, fields={"description": "use helper_function"})
    assert "def helper_function" not in prompt.user
    (workspace / "seen.py").write_text(text)
    assert "def helper_function" in (await prompt_of(workspace, fields={"description": "use helper_function"})).user


async def test_secrets_are_scanned_out_and_put_back(tmp_path: Path) -> None:
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    agent = ListedAgent("llama", [fenced("new\nkey REMOVED_SECRET_1\n")])
    given = Assignment(task=task(tmp_path), run=1, round=1, current=f"old\nkey {key}\n", base_sha256=None)
    (draft,) = [draft async for draft in generate(agent, given)]
    assert key not in agent.prompts[0].user
    assert draft.patch is not None
    assert draft.patch.new_text == f"new\nkey {key}\n"


def test_the_budget_is_kept_and_what_does_not_fit_is_named(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"m{number}.py").write_text(f"def helper_{number}(a):\n    '''{'long ' * 90}'''\n")
    names = " ".join(f"helper_{number}" for number in range(6))
    given = task(tmp_path, description=names)
    whole = select_context(given, "text\n", 4_000)
    assert (len(whole.parts), whole.left_out) == (7, ())
    some = select_context(given, "text\n", whole.tokens // 2)
    assert 1 < len(some.parts) < 7
    assert len(some.parts) + len(some.left_out) == 7
    assert some.tokens <= whole.tokens // 2
    assert all(title.startswith("Declarations in m") for title in some.left_out)
    with pytest.raises(PromptTooLong, match=r"^notes\.txt and its contract take about [\d,]+ tokens; the model's context leaves 500"):
        select_context(given, "word " * 1000, 500)


@pytest.mark.parametrize("context_tokens", [0, 3072, 4096, 16_384])
async def test_prompt_and_reply_fit_the_context(tmp_path: Path, context_tokens: int) -> None:
    for number in range(40):
        (tmp_path / f"m{number}.py").write_text(f"def helper_{number}(a):\n    '''{'long ' * 60}'''\n")
    said = Review(reviewer="j", is_model=True, score=5, criteria=(), findings=(), feedback="more " * 300, text_sha256="")
    earlier = [
        Attempt(
            number=number,
            task=1,
            run=1,
            round=number,
            candidate=0,
            agent="llama",
            model="",
            patch=Patch(path="notes.txt", base_sha256=None, new_text=f"attempt {number}\n" * 30),
            reply="",
            evidence=evidence(Proof.PROVED),
            review=said,
        )
        for number in range(1, 9)
    ]
    names = " ".join(f"helper_{number}" for number in range(40))
    fields = {"description": names}
    prompt = await prompt_of(tmp_path, current="text\n" * 50, fields=fields, earlier=earlier, context_tokens=context_tokens)
    assert estimate_tokens(prompt.system + prompt.user) + prompt.max_tokens <= (context_tokens or 4096)
    assert "earlier rounds failed too" in prompt.user or context_tokens == 16_384


async def test_candidates_are_drawn_warmer_and_with_their_own_seeds(tmp_path: Path) -> None:
    agent = ListedAgent("llama", [fenced(f"{number}\n") for number in range(6)])
    given = Assignment(task=task(tmp_path), run=1, round=1, current=None, base_sha256=None, candidates=6, temperature=0.2)
    found = [draft async for draft in generate(agent, given)]
    assert [round(prompt.temperature, 2) for prompt in agent.prompts] == [0.2, 0.45, 0.7, 0.95, 1.2, 1.2]
    assert len({prompt.seed for prompt in agent.prompts}) == 6
    assert [draft.candidate for draft in found] == list(range(6))
    assert len({prompt.user.partition("BEGIN")[0] for prompt in agent.prompts}) == 1


async def test_a_contract_that_was_left_out_or_changed_is_put_back(tmp_path: Path) -> None:
    expected = contract_text(SourceText(Path("k.wgsl"), KERNEL))
    for reply in ("fn double() { let a = 1; }\n", CONTRACT.replace("n", "m") + "\nfn double() { let a = 1; }\n"):
        (draft,) = await drafts(tmp_path, fenced(reply, "wgsl"), current=KERNEL, fields={"target": "double.wgsl"})
        assert draft.patch is not None
        assert contract_text(SourceText(Path("k.wgsl"), draft.patch.new_text)) == expected
        assert draft.patch.new_text.endswith("fn double() { let a = 1; }\n")


async def test_a_contract_that_the_task_gives_is_shown_and_put_on_top(tmp_path: Path) -> None:
    given = '[double]\ndims = "n"\nshapes = { x = "n" }'
    fields = {"target": "double.wgsl", "metadata": {"contract_text": given}}
    assert given in (await prompt_of(tmp_path, fields=fields)).user
    (draft,) = await drafts(tmp_path, fenced("fn double() { let a = 1; }\n", "wgsl"), fields=fields)
    assert draft.patch is not None
    assert contract_text(SourceText(Path("k.wgsl"), draft.patch.new_text)) == given


async def test_a_contract_is_the_models_to_write_where_that_is_the_task(tmp_path: Path) -> None:
    text = '//! [other]\n//! dims = "m"\nfn double() { }\n'
    fields = {"target": "double.wgsl", "action": Action.WRITE_CONTRACT}
    (draft,) = await drafts(tmp_path, fenced(text, "wgsl"), current=KERNEL, fields=fields)
    assert draft.patch is not None
    assert draft.patch.new_text == text


async def test_a_prompt_that_is_too_long_twice_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(PromptTooLong):
        await drafts(tmp_path, PromptTooLong("too long"), PromptTooLong("too long"))
