from __future__ import annotations

from pixel_core.engines.naga_message import read_naga_message


def check(text: str, message: str, line: int, column: int) -> None:
    failure = read_naga_message(text, stage="module")
    assert (failure.message, failure.line, failure.column) == (message, line, column)
    assert failure.detail == text.strip()


HEAD = "Validation Error\n\nCaused by:\n  In wgpuDeviceCreateShaderModule\n\n"


def test_a_parse_error_has_a_title_and_a_place() -> None:
    check(
        HEAD
        + "Shader '' parsing error: no definition in scope for identifier: `bar`\n"
        + "  ┌─ wgsl:12:23\n   │\n12 │ fn f() { let x: f32 = bar; }\n   │                       ^^^ unknown identifier\n\n",
        "no definition in scope for identifier: `bar`",
        12,
        23,
    )


def test_a_parse_error_without_a_place() -> None:
    check(
        HEAD + "Shader '' parsing error: Index 5 is out of bounds for expression [5]\n\n",
        "Index 5 is out of bounds for expression [5]",
        0,
        0,
    )


def test_a_validation_error_is_its_last_cause() -> None:
    check(
        HEAD
        + "Shader validation error: Global variable [0] 'a' is invalid\n  ┌─ :1:23\n  │\n"
        + "1 │ @group(0) @binding(0) var<uniform> a: array<u32,4>;\n  │                       ^^^^^ naga::ir::GlobalVariable [0]\n  │\n"
        + "  = Alignment requirements for address space Uniform are not met by [1]\n"
        + "  = The array stride 4 is not a multiple of the required alignment 16\n\n\n"
        + "      Alignment requirements for address space Uniform are not met by [1]\n"
        + "        The array stride 4 is not a multiple of the required alignment 16\n",
        "The array stride 4 is not a multiple of the required alignment 16",
        1,
        23,
    )


def test_a_validation_error_without_a_place() -> None:
    check(
        HEAD
        + "Shader validation error: Entry point main at Compute is invalid\n = Workgroup size is out of range\n\n\n"
        + "      Workgroup size is out of range",
        "Workgroup size is out of range",
        0,
        0,
    )


def test_advice_to_nagas_maintainers_is_no_cause() -> None:
    check(
        HEAD
        + "Shader '' parsing error: the `subgroups` enable-extension is not yet supported\n  ┌─ wgsl:1:8\n  │\n1 │ enable subgroups;\n"
        + "  │        ^^^^^^^^^ not yet implemented in Naga\n  │\n  = note: Let Naga maintainers know that you ran into this\n\n",
        "the `subgroups` enable-extension is not yet supported",
        1,
        8,
    )


def test_a_pipeline_error_is_its_last_sentence() -> None:
    check(
        "Validation Error\n\nCaused by:\n  In wgpuDeviceCreateComputePipeline\n"
        "    Pipeline constant error: Missing value for pipeline-overridable constant with identifier string: 'N'",
        "Pipeline constant error: Missing value for pipeline-overridable constant with identifier string: 'N'",
        0,
        0,
    )


def test_a_text_that_imitates_a_place_is_no_place() -> None:
    check(HEAD + "Shader '' parsing error: x\n  ┌─ wgsl:1:²\n", "x", 0, 0)
    check("", "the shader was refused without a word", 0, 0)
