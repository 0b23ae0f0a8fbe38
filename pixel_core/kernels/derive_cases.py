"""Sizes at which kernels break: 1, and one below, at and above every tile, an odd number and a prime.

Deterministic: the same contract and shader give the same cases. `draw_sizes` is for those that must not be foreseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from random import Random

from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.expressions import Expression, ExpressionProblem
from pixel_core.kernels.symbols import SymbolValue, evaluate_symbol
from pixel_core.wgsl.reflect import EntryPoint, ShaderInterface

MAX_TILES = 3
"""Tile sizes that are probed from both sides."""

MAX_TILE = 1_024
MAX_STEP = 512
"""How far beyond a size the next one is searched that meets `where`."""

MAX_WORK = 500_000
"""Characters of conditions that are evaluated in the search; about a second of work, which only contradictory conditions need."""

_KINDS = 7

MAX_DRAWS = 210
"""Sizes that `draw_sizes` tries."""

MAX_ELEMENTS = 1 << 20
"""Product of the dims of a derived case; errors at edges show at small sizes."""


def derive_sizes(
    contract: KernelContract, interface: ShaderInterface, entries: Sequence[EntryPoint], symbols: Mapping[str, SymbolValue]
) -> Iterator[dict[str, int]]:
    """Candidate sizes, the most telling first; each still has to be planned, and may then break `where` or the budget.

    Args:
        contract: Its dims and `where`.
        interface: The shader.
        entries: The entry points that the contract runs.
        symbols: The shader's constants and overrides, for conditions that use them.
    """
    if not contract.dims or not contract.derive:
        return
    sizes = candidate_sizes(find_tiles(interface, entries))
    conditions = _Conditions(contract, symbols)
    choices = {dim: conditions.allowed(dim, sizes) for dim in contract.dims}
    if not all(choices.values()):
        return
    seen: set[tuple[int, ...]] = set()
    for turn in range(len(sizes)):
        rotated = {dim: values[(turn + place) % len(values)] for place, (dim, values) in enumerate(choices.items())}
        # Where `where` ties dims to each other (M == N), only equal sizes meet it.
        equal = {dim: values[turn % len(values)] for dim, values in choices.items()}
        for candidate in (rotated, equal):
            key = tuple(candidate.values())
            if key in seen or prod(max(size, 1) for size in key) > MAX_ELEMENTS:
                continue
            if conditions.meets(contract.where, candidate):
                seen.add(key)
                yield candidate
                break


def draw_sizes(
    contract: KernelContract,
    interface: ShaderInterface,
    entries: Sequence[EntryPoint],
    symbols: Mapping[str, SymbolValue],
    largest: Mapping[str, int],
    random: Random,
) -> Iterator[dict[str, int]]:
    """Candidate sizes that nobody can know before: primes, edges and multiples of tiles, and sizes beyond the largest known ones.

    Each still has to be planned. Where `where` ties dims together, equal sizes are tried besides.

    Args:
        contract: Its dims and `where`.
        interface: The shader.
        entries: The entry points that the contract runs.
        symbols: The shader's constants and overrides, for conditions that use them.
        largest: The largest size of each dim that is known.
        random: What decides.
    """
    if not contract.dims:
        return
    tiles = find_tiles(interface, entries) or [16]
    conditions = _Conditions(contract, symbols)

    # Every kind takes its turn, in an order of its own for each dim, so that none is left out by chance.
    orders = {dim: random.sample(range(_KINDS), _KINDS) for dim in contract.dims}
    for turn in range(MAX_DRAWS):
        drawn = {dim: _draw_size(orders[dim][turn % _KINDS], random.choice(tiles), largest.get(dim, 1), random) for dim in contract.dims}
        equal = dict.fromkeys(contract.dims, random.choice(tuple(drawn.values())))
        for sizes in (drawn, equal):
            moved = {dim: next(iter(conditions.allowed(dim, [size])), None) for dim, size in sizes.items()}
            found = {dim: size for dim, size in moved.items() if size is not None}
            small_enough = len(found) == len(sizes) and prod(max(size, 1) for size in found.values()) <= MAX_ELEMENTS
            if small_enough and conditions.meets(contract.where, found):
                yield found
                break


def _draw_size(kind: int, tile: int, known: int, random: Random) -> int:
    """A size of one of `_KINDS` kinds, around a tile or beyond the largest known size."""
    sizes = (
        lambda: _next_prime(random.randint(2, 5 * tile)),
        lambda: random.randint(1, 6) * tile + random.choice((-1, 1)),
        lambda: random.randint(1, 6) * tile,
        lambda: random.randint(1, max(2 * tile, 8)),
        lambda: known + random.randint(1, known // 2 + tile),
        # A limit that is built in (a loop of 256 steps, an array of 1,024) shows only well beyond.
        lambda: known * random.randint(2, 16) + random.randint(0, tile),
        lambda: 1,
    )
    return max(sizes[kind](), 1)


def find_tiles(interface: ShaderInterface, entries: Sequence[EntryPoint]) -> list[int]:
    """Sizes at which the kernel's blocks end: workgroup sizes first, then whole constants and overrides of the shader."""
    tiles: list[int] = []
    for entry in entries:
        tiles.extend(entry.workgroup_size or ())
    tiles.extend(value for value in interface.constants.values() if isinstance(value, int) and not isinstance(value, bool))
    tiles.extend(one.value for one in interface.overrides if isinstance(one.value, int) and not isinstance(one.value, bool))
    return list(dict.fromkeys(tile for tile in tiles if 1 < tile <= MAX_TILE))[:MAX_TILES]


def candidate_sizes(tiles: Sequence[int]) -> list[int]:
    """Sizes around the tiles: above first, since a kernel without bounds checks breaks there."""
    if not tiles:
        tiles = [16]
    sizes: list[int] = []
    for tile in tiles:
        sizes += [tile + 1, 1, tile - 1, tile]
    sizes += [2 * tiles[0] + 3 - tiles[0] % 2, _next_prime(3 * tiles[0])]
    return list(dict.fromkeys(size for size in sizes if size > 0))


def _next_prime(number: int) -> int:
    number = max(number, 2)
    while any(number % divisor == 0 for divisor in range(2, int(number**0.5) + 1)):
        number += 1
    return number


class _Conditions:
    """`where`, tried on many sizes with a bound on the work."""

    def __init__(self, contract: KernelContract, symbols: Mapping[str, SymbolValue]) -> None:
        self._contract = contract
        self._symbols = symbols
        self._names = {condition.text: {use.name for use in condition.used_names()} for condition in contract.where}
        self._room = MAX_WORK

    def allowed(self, dim: str, sizes: Sequence[int]) -> list[int]:
        """The sizes of one dim, each moved up to the next that meets the conditions on this dim alone; down where there is none."""
        others = {*self._contract.dims, *self._contract.let} - {dim}
        alone = [one for one in self._contract.where if dim in self._names[one.text] and not others & self._names[one.text]]
        allowed: list[int] = []
        for size in sizes:
            upwards, downwards = range(size, size + MAX_STEP + 1), range(size - 1, -1, -1)
            found = next((moved for moved in (*upwards, *downwards) if self.meets(alone, {dim: moved})), None)
            if found is not None and found not in allowed:
                allowed.append(found)
        return allowed

    def meets(self, conditions: Sequence[Expression], sizes: Mapping[str, int]) -> bool:
        """Whether conditions hold; those with names that only planning knows (`let`) count as met here."""
        symbols = {**self._symbols, **sizes}
        return all(self._holds(condition, symbols) for condition in conditions if self._names[condition.text] <= symbols.keys())

    def _holds(self, condition: Expression, symbols: Mapping[str, SymbolValue]) -> bool:
        self._room -= len(condition.text)
        if self._room < 0:
            return False
        try:
            return bool(evaluate_symbol(condition, symbols))
        except ExpressionProblem:
            return False
