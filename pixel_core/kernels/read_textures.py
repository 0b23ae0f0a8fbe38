"""`textures` and `samplers` of a contract."""

from __future__ import annotations

from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.contract import ADDRESS_MODES, FILTERS, SamplerContract, TextureContract
from pixel_core.kernels.contract_fields import Reading, Toml
from pixel_core.kernels.contract_keys import CONTRACT_KEYS, SAMPLER_KEYS, TEXTURE_KEYS
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.toml_keys import TomlPath
from pixel_core.wgsl.texel_formats import TEXEL_FORMATS

_MAX_SIZE_AXES = 3


def read_textures(reading: Reading, path: TomlPath, value: Toml) -> dict[str, TextureContract]:
    """Read `textures`."""
    textures: dict[str, TextureContract] = {}
    for name, item in reading.table(path, value, CONTRACT_KEYS["textures"]).items():
        at = (*path, name)
        if not isinstance(item, dict):
            reading.tell_type(at, item, CONTRACT_KEYS["textures"])
            continue
        table = reading.table(at, item, CONTRACT_KEYS["textures"])
        reading.check_keys(at, table, TEXTURE_KEYS)
        mips = reading.expression((*at, "mips"), table["mips"], TEXTURE_KEYS["mips"]) if "mips" in table else None
        textures[name] = TextureContract(
            format=_format(reading, (*at, "format"), table.get("format")),
            size=_size(reading, (*at, "size"), table.get("size")),
            mips=mips,
            span=reading.value_span(at),
        )
    return textures


def read_samplers(reading: Reading, path: TomlPath, value: Toml) -> dict[str, SamplerContract]:
    """Read `samplers`."""
    samplers: dict[str, SamplerContract] = {}
    for name, item in reading.table(path, value, CONTRACT_KEYS["samplers"]).items():
        at = (*path, name)
        if not isinstance(item, dict):
            reading.tell_type(at, item, CONTRACT_KEYS["samplers"])
            continue
        table = reading.table(at, item, CONTRACT_KEYS["samplers"])
        reading.check_keys(at, table, SAMPLER_KEYS)
        chosen = _word(reading, (*at, "filter"), table.get("filter"), FILTERS, SAMPLER_KEYS["filter"])
        address = _address(reading, (*at, "address"), table.get("address"))
        samplers[name] = SamplerContract(filter=chosen or FILTERS[0], address=address, span=reading.value_span(at))
    return samplers


def _format(reading: Reading, path: TomlPath, value: Toml) -> str | None:
    name = reading.string(path, value, TEXTURE_KEYS["format"])
    if name is None or name in TEXEL_FORMATS:
        return name
    close = closest_name(name, TEXEL_FORMATS)
    hint = f"did you mean `{close}`?" if close else f"supported: r, rg or rgba with {_encodings()}"
    reading.tell("PX334", reading.text_span(path), f"`{name}` is not a texel format that can be checked", hint)
    return None


def _encodings() -> str:
    return ", ".join(name[1:] for name, texel in TEXEL_FORMATS.items() if texel.channels == 1)


def _size(reading: Reading, path: TomlPath, value: Toml) -> tuple[Expression, ...]:
    if isinstance(value, int) and not isinstance(value, bool):
        one = reading.expression(path, value)
        return () if one is None else (one,)
    text = reading.string(path, value, TEXTURE_KEYS["size"])
    if text is None:
        return ()
    count = len(reading.parts(path, text, " "))
    if not 1 <= count <= _MAX_SIZE_AXES:
        reading.tell("PX305", path, f"a size of {count:,} axes; textures have 1 to {_MAX_SIZE_AXES}", f"write {TEXTURE_KEYS['size']}")
        return ()
    return reading.expressions(path, text, " ") or ()


def _address(reading: Reading, path: TomlPath, value: Toml) -> tuple[str, ...]:
    text = reading.string(path, value, SAMPLER_KEYS["address"])
    if text is None:
        return (ADDRESS_MODES[0],) * _MAX_SIZE_AXES
    words = text.split()
    if len(words) not in {1, 2, _MAX_SIZE_AXES}:
        reading.tell("PX305", path, f"{len(words)} address modes; one for all axes, or one each for u, v and w")
        return (ADDRESS_MODES[0],) * _MAX_SIZE_AXES
    for word in words:
        _word(reading, path, word, ADDRESS_MODES, SAMPLER_KEYS["address"])
    u, v, w = (*words, *words[-1:] * 2)[:_MAX_SIZE_AXES]
    return u, v, w


def _word(reading: Reading, path: TomlPath, value: Toml, known: tuple[str, ...], form: str) -> str | None:
    word = reading.string(path, value, form)
    if word is None or word in known:
        return word
    close = closest_name(word, known)
    reading.tell("PX305", reading.text_span(path), f"`{word}` is none of {', '.join(known)}", f"did you mean `{close}`?" if close else None)
    return None
