"""Makes a sentence of naga's readable: its internal descriptions of types in WGSL's words."""

from __future__ import annotations

_KINDS = {"Sint": "i", "Uint": "u", "Float": "f"}
_SCALARS = {
    **{f"Scalar {{ kind: {kind}, width: {width} }}": f"{letter}{width * 8}" for kind, letter in _KINDS.items() for width in (2, 4, 8)},
    "Scalar { kind: Bool, width: 1 }": "bool",
    "Scalar { kind: AbstractInt, width: 8 }": "abstract-int",
    "Scalar { kind: AbstractFloat, width: 8 }": "abstract-float",
}
_SIZES = {"Bi": 2, "Tri": 3, "Quad": 4}


def readable_naga(message: str) -> str:
    """The message with `Scalar(Scalar { kind: Uint, width: 4 })` as `u32` and `Vector { size: Tri, scalar: … }` as `vec3<…>`."""
    for described, name in _SCALARS.items():
        message = message.replace(f"Scalar({described})", described).replace(described, name)
        for size, count in _SIZES.items():
            message = message.replace(f"Vector {{ size: {size}, scalar: {name} }}", f"vec{count}<{name}>")
    words = [word for word in message.replace("Some(", "(").split(" ") if not _is_handle(word)]
    text = " ".join(words).removesuffix(" for expression")
    if "(of type " in text:
        text = text.replace("(of type ", "").replace(") and ", " and ").removesuffix(")")
    return f"{text} its operand" if text.endswith(" can't work with") else text


def _is_handle(word: str) -> bool:
    """Whether a word is a number in naga's arenas, which nobody outside can look up."""
    return word.strip("()[]").isdigit() and word.endswith((")", "]")) and word.startswith(("(", "["))
