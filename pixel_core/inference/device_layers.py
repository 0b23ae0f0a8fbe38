"""The dispatches of a model: which kernel reads and writes what, in order, for a batch of so many tokens."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pixel_core.engines.device_program import BufferRange, ProgramBuffer, ProgramDevice, ProgramDispatch, Resource
from pixel_core.inference.device_weights import ROW_GROUP, DeviceMatrix, WeightPage
from pixel_core.inference.model_kernels import ModelKernel, ModelKernels

if TYPE_CHECKING:
    from pixel_core.inference.config import ModelConfig

UNIFORM_SPACE = 1 << 16
"""Bytes that `var<uniform>` holds everywhere: of the activations of a batch, and of the scales of quantised ones, 16 for 32 of them."""

TILE = 32
"""Keys that a workgroup of attention_tile.wgsl sees."""

SEARCHERS = 1024
"""Invocations that look for the greatest logit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWeights:
    """What one block reads.

    Attributes:
        attention_norm: f32.
        qkv: Queries, keys and values: matrices of which one follows the other, with the row where each begins.
        bias: f32 of all rows of qkv, or None.
        q_norm: f32 of a head, or None.
        k_norm: f32 of a head, or None.
        output: Back from the heads.
        attention_post_norm: f32, of what attention gives before it is added, or None.
        feed_forward_norm: f32.
        gate_up: Gate, then up.
        down: Back from the feed-forward layer.
        feed_forward_post_norm: f32, or None.
        keys: The cache, f16.
        values: The cache, f16.
        turns: Cosines and sines.
    """

    attention_norm: ProgramBuffer
    qkv: tuple[tuple[int, DeviceMatrix], ...]
    bias: ProgramBuffer | None
    q_norm: ProgramBuffer | None
    k_norm: ProgramBuffer | None
    output: DeviceMatrix
    attention_post_norm: ProgramBuffer | None
    feed_forward_norm: ProgramBuffer
    gate_up: tuple[tuple[int, DeviceMatrix], ...]
    down: DeviceMatrix
    feed_forward_post_norm: ProgramBuffer | None
    keys: ProgramBuffer
    values: ProgramBuffer
    turns: ProgramBuffer


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingMemory:
    """Buffers that every layer uses anew.

    Attributes:
        state: Position, token chosen last, number of tokens chosen: three u32.
        tokens: u32 of the batch.
        residual: f32[tokens, width].
        bytes: Quantised activations; at least `UNIFORM_SPACE`.
        scales: Their scales; at least `UNIFORM_SPACE`.
        floats: f32 activations, for weights that are floats; at least `UNIFORM_SPACE`.
        qkv: f32[tokens, rows of qkv].
        q: f32[tokens, heads · width of a head], turned and scaled.
        gate_up: f32[tokens, 2 · feed_forward_length].
        back: f32[tokens, width]: what a layer gives, where that is normalised before it is added.
        logits: f32[tokens, vocabulary, filled up].
        tile_sums: f32[tokens, tiles, heads · width of a head]: values that each tile of keys contributes.
        tile_tops: f32[tokens, tiles, heads, 2]: greatest score and sum of weights of each tile.
        tiles: How many there is room for.
        best: The searchers' finds.
        chosen: u32 of every token chosen in a run.
    """

    state: ProgramBuffer
    tokens: ProgramBuffer
    residual: ProgramBuffer
    bytes: ProgramBuffer
    scales: ProgramBuffer
    floats: ProgramBuffer
    qkv: ProgramBuffer
    q: ProgramBuffer
    gate_up: ProgramBuffer
    back: ProgramBuffer
    logits: ProgramBuffer
    tile_sums: ProgramBuffer
    tile_tops: ProgramBuffer
    tiles: int
    best: ProgramBuffer
    chosen: ProgramBuffer


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a list of dispatches is for.

    Attributes:
        tokens: That go through the layers together.
        tiles: Of `TILE` keys, up to the last token's own.
    """

    tokens: int
    tiles: int


class LayerRecorder:
    """Makes dispatches for one model on one device.

    Args:
        device: Where.
        kernels: The texts.
        config: Of the model.
        memory: Large enough for the largest batch.
        has_subgroups: Whether eight neighbouring invocations can tell each other what they read.
    """

    def __init__(
        self, device: ProgramDevice, kernels: ModelKernels, config: ModelConfig, memory: WorkingMemory, *, has_subgroups: bool
    ) -> None:
        self._device = device
        self._kernels = kernels
        self._config = config
        self._memory = memory
        self._has_subgroups = has_subgroups
        self._uniforms: dict[bytes, ProgramBuffer] = {}

    def embed(self, table: DeviceMatrix, tokens: int) -> list[ProgramDispatch]:
        """Rows of the embedding into the residual stream."""
        config, memory = self._config, self._memory
        kernel = self._kernels.get(f"embed_{_family(table)}", macros=_macros(table))
        made: list[ProgramDispatch] = []
        for page in table.pages:
            size = self._uniform(struct.pack("<IIIf", table.columns, page.first, page.rows, config.embedding_scale))
            named: dict[str, Resource] = {**page.planes, "tokens": memory.tokens, "y": memory.residual, "size": size}
            made.append(self._dispatch(kernel, named, (_ceil(table.columns // 4, kernel.width), tokens, 1)))
        return made

    def layer(self, weights: LayerWeights, layer: int, batch: Batch) -> list[ProgramDispatch]:
        """One block."""
        config, memory, tokens = self._config, self._memory, batch.tokens
        qkv, gate_up = ([matrix for _, matrix in run] for run in (weights.qkv, weights.gate_up))
        made = self._norm(weights.attention_norm, tokens, qkv)
        qkv_rows = (config.head_count + 2 * config.kv_head_count) * config.head_length
        for first, matrix in weights.qkv:
            made += self.multiply(matrix, memory.qkv, tokens, first=first, stride=qkv_rows)
        made.append(self._rope(weights, tokens))
        made += self._attention(weights, layer, batch)
        made += self._add(weights.output, weights.attention_post_norm, tokens)
        made += self._norm(weights.feed_forward_norm, tokens, gate_up)
        for first, matrix in weights.gate_up:
            made += self.multiply(matrix, memory.gate_up, tokens, first=first, stride=2 * config.feed_forward_length)
        made.append(self._gate(tokens, weights.down))
        made += self._add(weights.down, weights.feed_forward_post_norm, tokens)
        return made

    def _add(self, matrix: DeviceMatrix, norm: ProgramBuffer | None, tokens: int) -> list[ProgramDispatch]:
        """What a layer gives, normalised where the model does that, onto the residual stream."""
        config, memory = self._config, self._memory
        if norm is None:
            return self.multiply(matrix, memory.residual, tokens, stride=config.embedding_length, add=True)
        size = self._uniform(struct.pack("<If", config.embedding_length, config.epsilon))
        named: dict[str, Resource] = {"size": size, "x": memory.back, "weight": norm, "y": memory.residual}
        added = self._dispatch(self._kernels.get("float_norm", macros={"ADD": 1}), named, (tokens, 1, 1))
        return [*self.multiply(matrix, memory.back, tokens, stride=config.embedding_length), added]

    def head(self, norm: ProgramBuffer, matrix: DeviceMatrix, tokens: int) -> list[ProgramDispatch]:
        """Logits of every token of the batch."""
        return [*self._norm(norm, tokens, [matrix]), *self.multiply(matrix, self._memory.logits, tokens, stride=matrix.rows)]

    def choose(self) -> list[ProgramDispatch]:
        """The likeliest token becomes the next one to be fed."""
        memory = self._memory
        find, take = self._kernels.get("choose", "find_best"), self._kernels.get("choose", "take_best")
        vocabulary = self._uniform(struct.pack("<I", self._config.vocabulary_size))
        named: dict[str, Resource] = {"logits": memory.logits, "best": memory.best, "vocabulary": vocabulary}
        searched = self._dispatch(find, named, (SEARCHERS // find.width, 1, 1))
        named = {"best": memory.best, "state": memory.state, "tokens": memory.tokens, "chosen": memory.chosen}
        return [searched, self._dispatch(take, named, (1, 1, 1))]

    def _norm(self, weight: ProgramBuffer, tokens: int, readers: Sequence[DeviceMatrix]) -> list[ProgramDispatch]:
        """The norm of the residual stream, in each form that a matrix reads."""
        config, memory = self._config, self._memory
        size = self._uniform(struct.pack("<If", config.embedding_length, config.epsilon))
        named: dict[str, Resource] = {"size": size, "x": memory.residual, "weight": weight}
        made: list[ProgramDispatch] = []
        if not all(one.takes_floats for one in readers):
            quantised = {**named, "bytes": memory.bytes, "scales": memory.scales}
            made.append(self._dispatch(self._kernels.get("norm_quantise"), quantised, (tokens, 1, 1)))
        if any(one.takes_floats for one in readers):
            made.append(self._dispatch(self._kernels.get("float_norm"), {**named, "y": memory.floats}, (tokens, 1, 1)))
        return made

    def _rope(self, weights: LayerWeights, tokens: int) -> ProgramDispatch:
        config, memory = self._config, self._memory
        heads, kv_heads = config.head_count, config.kv_head_count
        packed = struct.pack(
            "<IIIIffI",
            heads,
            kv_heads,
            config.head_length,
            config.rope.length,
            config.attention_scale,
            config.epsilon,
            config.rope.pairs == "halves",
        )
        named: dict[str, Resource] = {
            "size": self._uniform(packed),
            "state": memory.state,
            "qkv": memory.qkv,
            "turns": weights.turns,
            "q": memory.q,
            "keys": weights.keys,
            "values": weights.values,
        }
        macros: dict[str, int] = {}
        if weights.bias is not None:
            macros["BIAS"] = 1
            named["bias"] = weights.bias
        if weights.q_norm is not None and weights.k_norm is not None:
            macros["NORM"] = 1
            named |= {"q_weight": weights.q_norm, "k_weight": weights.k_norm}
        kernel = self._kernels.get("rope_append", macros=macros)
        return self._dispatch(kernel, named, (heads + 2 * kv_heads, tokens, 1))

    def _attention(self, weights: LayerWeights, layer: int, batch: Batch) -> list[ProgramDispatch]:
        config, memory = self._config, self._memory
        window = config.sliding_window if config.is_local(layer) else 0
        kv_heads, heads = config.kv_head_count, config.head_count
        named: dict[str, Resource] = {
            "q": memory.q,
            "keys": weights.keys,
            "values": weights.values,
            "state": memory.state,
            "size": self._uniform(struct.pack("<III", kv_heads, window, memory.tiles)),
            "sums": memory.tile_sums,
            "tops": memory.tile_tops,
        }
        macros = {"HEAD": config.head_length, "GROUP": heads // kv_heads}
        if memory.q.is_uniform:
            macros["UNIFORM"] = 1
        tile = self._dispatch(self._kernels.get("attention_tile", macros=macros), named, (batch.tiles, kv_heads, batch.tokens))
        named = {
            "sums": memory.tile_sums,
            "tops": memory.tile_tops,
            "state": memory.state,
            "size": self._uniform(struct.pack("<III", heads, config.head_length, memory.tiles)),
        }
        columns = heads * config.head_length
        return [tile, self._activations(("attention_merge", "float_merge"), named, columns, batch.tokens, weights.output)]

    def _gate(self, tokens: int, reader: DeviceMatrix) -> ProgramDispatch:
        memory, columns = self._memory, self._config.feed_forward_length
        named: dict[str, Resource] = {"size": self._uniform(struct.pack("<I", columns)), "gate_up": memory.gate_up}
        constants = {"gelu": float(self._config.activation == "gelu")}
        return self._activations(("gate_quantise", "float_gate"), named, columns, tokens, reader, constants)

    def _activations(
        self,
        kernels: tuple[str, str],
        named: Mapping[str, Resource],
        columns: int,
        tokens: int,
        reader: DeviceMatrix,
        constants: Mapping[str, float] | None = None,
    ) -> ProgramDispatch:
        """The first kernel quantises blocks of 32, the second writes floats, four at a time: what the matrix that reads them takes."""
        memory = self._memory
        if reader.takes_floats:
            kernel = self._kernels.get(kernels[1])
            return self._dispatch(kernel, {**named, "y": memory.floats}, (_ceil(columns // 4, kernel.width), tokens, 1), constants)
        kernel = self._kernels.get(kernels[0])
        named = {**named, "bytes": memory.bytes, "scales": memory.scales}
        return self._dispatch(kernel, named, (_ceil(columns // 32, kernel.width), tokens, 1), constants)

    def multiply(
        self, matrix: DeviceMatrix, y: ProgramBuffer, tokens: int, *, stride: int, first: int = 0, add: bool = False
    ) -> list[ProgramDispatch]:
        """A matrix times the activations of so many tokens.

        Args:
            matrix: Of weights.
            y: f32[tokens, stride]: gets the product from row `first` on.
            tokens: In the activations.
            stride: Rows of a token in `y`.
            first: Where the product begins.
            add: To what `y` holds.
        """
        x = self._x(matrix, tokens)
        macros = {"TOKENS": tokens, **_macros(matrix)}
        if any(isinstance(one, BufferRange) for one in x.values()):
            macros["UNIFORM"] = 1
        if self._has_subgroups and not matrix.takes_floats:
            macros["SUBGROUPS"] = 1
        kernel = self._kernels.get(f"{_family(matrix)}_matvec", macros=macros)
        return [self._multiply_page(kernel, matrix, page, {**x, "y": y}, first + page.first, stride, add) for page in matrix.pages]

    def _multiply_page(
        self, kernel: ModelKernel, matrix: DeviceMatrix, page: WeightPage, named: Mapping[str, Resource], first: int, stride: int, add: bool
    ) -> ProgramDispatch:
        size = self._uniform(struct.pack("<IIIII", page.rows, matrix.columns, first, stride, add))
        return self._dispatch(kernel, {**page.planes, **named, "size": size}, (_ceil(page.rows // ROW_GROUP, kernel.width), 1, 1))

    def _x(self, matrix: DeviceMatrix, tokens: int) -> dict[str, Resource]:
        """The activations that a matrix is multiplied with: ranges for `var<uniform>` where they fit, whole buffers where they do not."""
        memory, count = self._memory, tokens * matrix.columns
        if matrix.takes_floats:
            return {"x": _uniform_part(memory.floats) if count * 4 <= UNIFORM_SPACE else memory.floats}
        # Neighbours in subgroups tell each other what they read of x, from wherever it lies.
        if count > (UNIFORM_SPACE * 2 if self._has_subgroups else UNIFORM_SPACE):
            return {"x": memory.bytes, "x_scales": memory.scales}
        return {"x": memory.bytes if self._has_subgroups else _uniform_part(memory.bytes), "x_scales": _uniform_part(memory.scales)}

    def _uniform(self, contents: bytes) -> ProgramBuffer:
        if contents not in self._uniforms:
            self._uniforms[contents] = self._device.create_buffer(len(contents), is_uniform=True)
            self._device.write_buffer(self._uniforms[contents], contents)
        return self._uniforms[contents]

    def _dispatch(
        self,
        kernel: ModelKernel,
        named: Mapping[str, Resource],
        workgroups: tuple[int, int, int],
        constants: Mapping[str, float] | None = None,
    ) -> ProgramDispatch:
        pipeline = self._device.compile(kernel.source, kernel.entry_point, constants)
        return self._device.dispatch(pipeline, {kernel.bindings[name]: one for name, one in named.items()}, workgroups)


def _family(matrix: DeviceMatrix) -> str:
    """How the kernels for a type are called."""
    if matrix.takes_floats:
        return "float"
    return "q4" if matrix.type.name in {"Q4_0", "Q4_1"} else matrix.type.name.lower()


def _macros(matrix: DeviceMatrix) -> dict[str, int]:
    """What a matrix asks of its kernels."""
    macros = {"TEXTURE": 1} if matrix.storage == "texture" else {}
    if _family(matrix) == "q4":
        macros["SCALE_TEXELS"] = 2 if matrix.type.name == "Q4_1" else 1
    if matrix.type.name in {"F16", "BF16"}:
        macros[matrix.type.name] = 1
    return macros


def _uniform_part(buffer: ProgramBuffer) -> BufferRange:
    return BufferRange(buffer=buffer, offset=0, size=UNIFORM_SPACE)


def _ceil(count: int, width: int) -> int:
    return -(-count // width)
