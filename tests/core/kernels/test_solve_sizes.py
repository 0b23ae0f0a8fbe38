from __future__ import annotations

import pytest

from pixel_core.kernels.expressions import parse_expression
from pixel_core.kernels.solve_sizes import Equation, solve_sizes


def solve(dims: str, let: dict[str, str], **values: int) -> dict[str, int] | str:
    """Sizes from what expressions, written with `_` for names of subjects, must come to."""
    equations = [
        Equation(expression=parse_expression(text), value=value, constants={"WIDTH": 16}, subject=f"`{text}`")
        for text, value in values.items()
    ]
    return solve_sizes(dims.split(), {name: parse_expression(text) for name, text in let.items()}, equations)


@pytest.mark.parametrize(
    ("dims", "let", "values", "expected"),
    [
        ("n", {}, {"n": 5}, {"n": 5}),
        ("n", {}, {"8 * n + 4": 44}, {"n": 5}),
        ("a b", {}, {"32 * a * b": 960, "b": 6}, {"a": 5, "b": 6}),
        ("a b", {"rows": "a + 2 * b"}, {"rows": 15, "b": 3}, {"a": 9, "b": 3}),
        ("n", {"more": "all + 1", "all": "2 * n"}, {"more": 9}, {"n": 4}),
        ("n", {}, {"ceil(n / WIDTH)": 3, "32 * n": 1536}, {"n": 48}),
        ("n", {}, {"n": 0}, {"n": 0}),
        ("n", {}, {"ceil(n / WIDTH)": 3}, "nothing that is bound says what `n` is"),
        ("n m", {}, {"n + m": 3}, "nothing that is bound says what `m` is"),
        ("n", {}, {"2 * n": 5}, "nothing that is bound says what `n` is"),
        ("n", {}, {"n": 40, "ceil(n / WIDTH)": 2}, "`ceil(n / WIDTH)` is 2, and `ceil(n / WIDTH)` comes to something else"),
        ("n", {}, {"n": 4, "1 / (n - 4)": 1}, "`1 / (n - 4)` is 1, and `1 / (n - 4)` comes to something else"),
        ("n", {}, {"n": 4, "0 * n": 7}, "`0 * n` is 7, and `0 * n` comes to something else"),
    ],
)
def test_sizes_follow_from_what_is_bound(dims: str, let: dict[str, str], values: dict[str, int], expected: dict[str, int] | str) -> None:
    assert solve(dims, let, **values) == expected
