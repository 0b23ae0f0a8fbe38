"""The keys that contracts have, with what their values look like; and those of the format that this version does not support yet."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CONTRACT_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "entry": 'the name of an entry point: entry = "main"',
        "dims": 'the names of the sizes, in one string: dims = "M N K"',
        "where": 'a list of conditions: where = ["K % 4 == 0"]',
        "let": 'a table of names: let = { tiles = "ceil(N / 16)" }',
        "shapes": 'a table by buffer: shapes = { a = "M K" }',
        "params": 'a table by uniform variable: params = { size = { m = "M" } }',
        "overrides": "a table by override: overrides = { TILE = 16 }",
        "inputs": 'a table by buffer: inputs = { a = "normal(0, 1)" }',
        "roles": 'a table by buffer: roles = { partials = "scratch" }',
        "codecs": 'a table by buffer: codecs = { w = "q4_0" }',
        "buffers": 'a table of extra buffers: buffers = { tmp = "u32 n" }',
        "textures": 'a table by texture: textures = { image = { size = "H W", format = "rgba8unorm" } }',
        "samplers": 'a table by sampler: samplers = { s = { filter = "linear", address = "clamp-to-edge" } }',
        "slack": "a table by buffer: slack = { w = 1 }",
        "valid": 'a table by output: valid = { kept = "count[0]" }',
        "dispatch": 'one to three workgroup counts: dispatch = "ceil(N / 16), ceil(M / 16)"',
        "bind": 'a table from shader variable to buffer: bind = { source = "a" }',
        "passes": 'an array of tables: [[matmul.passes]] with entry = "main" and dispatch = "1"',
        "define": 'a table of expressions: define = { e = "exp(x)" }',
        "expect": 'a table by output: expect = { c = "a @ b" }',
        "reference": 'a Python function: reference = "reference.py:matmul"',
        "oracle": 'another kernel: oracle = "naive.wgsl:matmul"',
        "invariants": 'a list of conditions: invariants = ["all(diff(keys) >= 0)"]',
        "compare": 'a table by output: compare = { c = "exact" }',
        "cases": 'a list: cases = ["M=64 N=64 K=64"]',
        "derive": "true or false: derive = false",
        "budget": "a table: budget = { seconds = 20, bytes = 134_217_728, invocations = 134_217_728 }",
        "flops": 'an expression: flops = "2 * M * N * K"',
        "prepare": "steps that make WGSL of a dialect: prepare = [{ define = { TILE = 16 } }]",
    }
)

PASS_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "entry": CONTRACT_KEYS["entry"],
        "dispatch": CONTRACT_KEYS["dispatch"],
        "indirect": 'the buffer that holds the workgroup counts, and the place of the first: indirect = "arguments 0"',
        "bind": 'a table from shader variable to buffer, or to a list that is cycled through: bind = { source = ["keys", "tmp"] }',
        "params": CONTRACT_KEYS["params"],
        "overrides": CONTRACT_KEYS["overrides"],
        "repeat": 'how often: repeat = "ceil(log2(n))"',
        "index": 'the name of the counter: index = "i"',
        "passes": 'passes that are repeated together: passes = [{ entry = "main", dispatch = 1 }]',
    }
)

CASE_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "name": 'a string: name = "wide"',
        "dims": "a table of whole numbers: dims = { M = 64, N = 1 }",
        "overrides": CONTRACT_KEYS["overrides"],
        "inputs": CONTRACT_KEYS["inputs"],
        "params": CONTRACT_KEYS["params"],
        "seed": "a whole number: seed = 7",
    }
)

TEXTURE_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "format": 'a texel format: format = "rgba8unorm"',
        "size": 'axes, outermost first: size = "H W"',
        "mips": "a number of levels: mips = 3",
    }
)

SAMPLER_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "filter": 'nearest or linear: filter = "linear"',
        "address": 'clamp-to-edge, repeat or mirror-repeat: address = "repeat"',
    }
)

ORACLE_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "kernel": 'a shader and a contract or an entry point in it: kernel = "naive.wgsl:matmul"',
        "dispatch": CONTRACT_KEYS["dispatch"],
        "params": CONTRACT_KEYS["params"],
        "overrides": CONTRACT_KEYS["overrides"],
    }
)

CODEC_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "python": 'an object with `encode` and `decode`: python = "nf4.py:nf4"',
        "values": "how many values a block holds: values = 64",
        "bytes": "how many bytes a block has: bytes = 36",
    }
)

COMPARE_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "mode": 'one of scaled, exact, ulp, multiset, argsort(x), histogram, quantised: mode = "scaled"',
        "rtol": "a number: rtol = 1e-3",
        "atol": "a number: atol = 1e-6",
        "ulp": "a whole number: ulp = 4",
        "nmse": "a number: nmse = 1e-6",
        "moved": "a whole number: moved = 2",
        "levels": "a whole number: levels = 1",
        "nan": 'refuse or equal: nan = "equal"',
        "reason": 'a sentence: reason = "the kernel uses f16 on purpose"',
    }
)


BUDGET_LIMITS: Mapping[str, int] = MappingProxyType({"seconds": 600, "bytes": 1 << 31, "invocations": 1 << 34})
"""The most that a contract may ask for."""

MAX_FILE_CHARACTERS = 1 << 20
MAX_CONTRACTS = 64
MAX_CASES = 256
MAX_PASSES = 256
MAX_PASS_DEPTH = 4
"""Groups of passes inside each other."""
MAX_DIMS = 16
MAX_INVARIANTS = 64
MAX_AXES = 8
MAX_ENTRIES = 256
"""Entries of any other table or list of a contract."""

PLACEHOLDER = "?"
"""What a stub writes where only its author knows the truth: `expect = { c = "?" }`."""
