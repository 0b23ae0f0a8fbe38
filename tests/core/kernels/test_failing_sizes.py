from pixel_core.kernels.failing_sizes import describe_failing_sizes


def check(failing: dict[str, list[int]], passing: dict[str, list[int]], expected: str | None, widths: tuple[int, ...] = (16,)) -> None:
    def cases(table: dict[str, list[int]]) -> list[dict[str, int]]:
        return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]

    assert describe_failing_sizes(cases(failing), cases(passing), widths) == expected


def test_names_the_tile_that_a_size_must_fill() -> None:
    check({"M": [64, 1, 33], "K": [20, 1, 100]}, {"M": [64, 7], "K": [64, 16]}, "fails exactly when K is not a multiple of 16")


def test_names_a_multiple_that_fails() -> None:
    check({"n": [16, 64]}, {"n": [15, 17]}, "fails exactly when n is a multiple of 16")


def test_names_the_width_between_passing_and_failing_sizes() -> None:
    check({"n": [257, 300]}, {"n": [1, 256]}, "fails exactly when n > 256 (passes up to 256, fails from 257)", widths=(256,))
    check({"n": [1, 5]}, {"n": [20, 300]}, "fails exactly when n <= 16 (fails up to 5, passes from 20)")


def test_prefers_no_border_to_one_that_the_kernel_does_not_have() -> None:
    check({"n": [1000, 1001]}, {"n": [1, 99]}, "fails for large n: passes up to 99, fails from 1000")


def test_the_largest_width_that_fits_is_named() -> None:
    check({"n": [65, 129]}, {"n": [64, 128]}, "fails exactly when n is not a multiple of 64", widths=(16, 64))


def test_says_nothing_without_a_condition_that_separates() -> None:
    check({"n": [16, 33]}, {"n": [32, 17]}, None)


def test_says_nothing_on_too_few_cases_or_when_all_fail() -> None:
    check({"n": [17]}, {"n": [16]}, None)
    check({"n": [17, 33, 65, 1]}, {"n": []}, None)
