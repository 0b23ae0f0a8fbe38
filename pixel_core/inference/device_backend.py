"""A language model on a device: weights as pixels, every kernel a proved one, nothing made per token."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from pixel_core.engines.device_program import ProgramBuffer, ProgramDevice, ProgramDispatch
from pixel_core.engines.subgroup_size import subgroup_size
from pixel_core.errors import ContextFull, ModelUnusable
from pixel_core.inference.config import ModelConfig
from pixel_core.inference.device_layers import (
    MOST_KEPT,
    SAMPLING_GROUPS,
    SEARCHERS,
    TILE,
    UNIFORM_SPACE,
    Batch,
    LayerRecorder,
    LayerWeights,
    WorkingMemory,
)
from pixel_core.inference.device_weights import DeviceMatrix, StorageKind, upload_matrix
from pixel_core.inference.messages import KernelTime, Taken
from pixel_core.inference.model_kernels import ModelKernels, model_shaders
from pixel_core.inference.rope_table import rope_table
from pixel_core.inference.stopwatch import Stopwatch
from pixel_core.weights.dequantize import dequantize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pixel_core.inference.sampler import Sampling
    from pixel_core.weights.model_file import ModelFile

BATCHES = (8, 4)
"""How many tokens of a prompt can go through the layers together: as many as there is room for."""

Ending: TypeAlias = Literal["nothing", "logits", "choice", "sample"]

SUBGROUP_LEAST = 8
"""Invocations that tell each other a block's words in activations.wgsl."""

SUBGROUP_WIDTH = 16
"""Of the workgroups that do."""

_TIMED_RUNS = 6

_RUN = 16
"""Tokens of one submission that the device chooses itself: as many as a display is content with at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOptions:
    """What can be chosen.

    Attributes:
        context_length: Tokens that the cache holds; the model's own when that is less.
        storage: Where weights lie.
        takes_subgroups: Whether neighbouring invocations tell each other what they read, where the adapter can do that.
    """

    context_length: int = 2048
    storage: StorageKind = "texture"
    takes_subgroups: bool = True


class DeviceBackend:
    """Fulfils `GreedyBackend` and `SamplingBackend`. Whatever the device does not survive is a `DeviceFailed`.

    Args:
        device: Closed with the backend.
        model: Only read while this is made.
        config: What its metadata says.
        options: What can be chosen.

    Raises:
        ModelUnusable: The model has what no kernel computes.
        DeviceFailed: There is no room.
    """

    def __init__(self, device: ProgramDevice, model: ModelFile, config: ModelConfig, options: DeviceOptions | None = None) -> None:
        options = options or DeviceOptions()
        self._device = device
        self.config = config
        check_sizes(config)
        self._has_subgroups = options.takes_subgroups and has_subgroups(device.real)
        self._batch = _choose_batch(config, has_subgroups=self._has_subgroups)
        self.context_length = min(options.context_length, config.context_length)
        self._length = 0
        self._programs: dict[tuple[int, int, Ending], tuple[ProgramDispatch, ...]] = {}
        self._upload(model, options.storage)
        # Their pipelines are made while the model is loaded, rather than when its first answer is waited for.
        self._program(self._batch, self._batch - 1, "nothing")
        self._program(1, 0, "logits")
        self.description = f"device {device.info.name} ({options.storage}s)"

    @property
    def length(self) -> int:
        """Tokens in the cache."""
        return self._length

    def feed(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """As `Backend.feed`."""
        self._check_room(tokens)
        for start in range(0, len(tokens) - 1, self._batch):
            self._run_batch(tokens[start : min(start + self._batch, len(tokens) - 1)])
        self._set(tokens[-1:])
        self._device.run(self._program(1, self._length, "logits"))
        self._length += 1
        return self._logits(1)[0]

    def feed_all(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """As `Backend.feed_all`."""
        self._check_room(tokens)
        made: list[NDArray[np.float32]] = []
        for start in range(0, len(tokens), self._batch):
            batch = tokens[start : start + self._batch]
            self._run_batch(batch, with_logits=True)
            made.append(self._logits(self._batch)[: len(batch)])
        return np.concatenate(made)

    def decode_greedy(self, token: int, count: int) -> list[int]:
        """As `GreedyBackend.decode_greedy`; the device hands out nothing but the ids."""
        self._check_room([token] * count)
        ids: list[int] = []
        while len(ids) < count:
            ids += self._run_choices(ids[-1] if ids else token, min(_RUN, count - len(ids)), "choice")
        return ids

    def can_sample(self, sampling: Sampling) -> bool:
        """As `SamplingBackend.can_sample`: the device keeps 64 of the likeliest, and looks back as far."""
        is_penalised = sampling.repeat_penalty != 1 and sampling.repeat_window > 0
        is_kept = 0 < sampling.top_k <= MOST_KEPT or sampling.temperature <= 0
        return is_kept and (not is_penalised or sampling.repeat_window <= MOST_KEPT)

    def decode_sampled(self, token: int, count: int, sampling: Sampling, *, drawn: int, recent: Sequence[int]) -> list[int]:
        """As `SamplingBackend.decode_sampled`; the device hands out nothing but the ids."""
        self._check_room([token] * count)
        window = sampling.repeat_window if sampling.repeat_penalty != 1 else 0
        ring = [*recent[-window:], *[_NO_TOKEN] * MOST_KEPT][:MOST_KEPT] if window else [_NO_TOKEN] * MOST_KEPT
        self._device.write_buffer(self._memory.recent, struct.pack(f"<{MOST_KEPT}I", *ring))
        oldest = min(len(recent), window) % window if window else 0
        ids: list[int] = []
        while len(ids) < count:
            settings = _sampling_settings(self.config, sampling, window=window, oldest=oldest + len(ids), drawn=drawn + len(ids))
            self._device.write_buffer(self._memory.sampling, settings)
            ids += self._run_choices(ids[-1] if ids else token, min(_RUN, count - len(ids)), "sample")
        return ids

    def truncate(self, length: int) -> None:
        """As `Backend.truncate`."""
        if not 0 <= length <= self._length:
            raise ValueError(f"the cache holds {self._length} tokens, not {length}")
        self._length = length

    def time_kernels(self) -> list[KernelTime]:
        """As `KernelBackend.time_kernels`, each kernel alone; what the cache holds is void afterwards."""
        self._check_room([0])
        groups: dict[str, list[ProgramDispatch]] = {}
        for one in self._program(1, self._length, "choice"):
            groups.setdefault(one.pipeline.entry_point, []).append(one)
        nothing = self._least([])
        return [_without(name, dispatches, self._least(dispatches), nothing) for name, dispatches in groups.items()]

    def close(self) -> None:
        """As `Backend.close`."""
        self._device.close()

    # ------------------------------------------------------------ running

    def _run_choices(self, token: int, steps: int, ending: Ending) -> list[int]:
        self._set([token])
        self._device.run(self._program(1, self._length + steps - 1, ending) * steps)
        ids: list[int] = np.frombuffer(self._device.read_buffer(self._memory.chosen, 4 * steps), np.uint32).tolist()
        if max(ids) >= self.config.vocabulary_size:
            raise ModelUnusable("the model computes values that are no numbers", hint="check that its file is whole")
        self._length += steps
        return ids

    def _run_batch(self, tokens: Sequence[int], *, with_logits: bool = False) -> None:
        # Those that fill up the batch write behind the end of the cache, where the next tokens will overwrite them.
        self._set([*tokens, *[0] * (self._batch - len(tokens))])
        self._device.run(self._program(self._batch, self._length + self._batch - 1, "logits" if with_logits else "nothing"))
        self._length += len(tokens)

    def _set(self, tokens: Sequence[int]) -> None:
        self._device.write_buffer(self._memory.tokens, struct.pack(f"<{len(tokens)}I", *tokens))
        self._device.write_buffer(self._memory.state, struct.pack("<III", self._length, 0, 0))

    def _least(self, dispatches: Sequence[ProgramDispatch]) -> Taken:
        """The least that some dispatches took, of several runs; the first may compile."""
        taken: list[Taken] = []
        for _ in range(_TIMED_RUNS):
            watch = Stopwatch()
            self._device.run(dispatches)
            self._device.read_buffer(self._memory.state, 4)
            taken.append(watch.read())
        return Taken(wall=min(one.wall for one in taken), cpu=min(one.cpu for one in taken))

    def _logits(self, tokens: int) -> NDArray[np.float32]:
        rows = self._head.rows
        read = np.frombuffer(self._device.read_buffer(self._memory.logits, tokens * rows * 4), np.float32)
        return read.reshape(tokens, rows)[:, : self.config.vocabulary_size].copy()

    def _check_room(self, tokens: Sequence[int]) -> None:
        if not tokens:
            raise ValueError("no tokens")
        if any(not 0 <= one < self.config.vocabulary_size for one in tokens):
            raise ValueError("a token is none of the vocabulary")
        if self._length + len(tokens) > self.context_length:
            raise ContextFull(f"{self._length + len(tokens):,} tokens do not fit into the context of {self.context_length:,}")

    # ------------------------------------------------------------ loading

    def _upload(self, model: ModelFile, storage: StorageKind) -> None:
        config, device = self.config, self._device

        def vector(*names: str) -> ProgramBuffer:
            parts = [_floats(model, name) for name in names]
            contents = np.concatenate(parts)
            buffer = device.create_buffer(contents.nbytes)
            device.write_buffer(buffer, contents)
            return buffer

        def stacked(*names: str) -> tuple[tuple[int, DeviceMatrix], ...]:
            """One matrix for each run of tensors of the same type, with its first row."""
            made: list[tuple[int, DeviceMatrix]] = []
            row = start = 0
            for end in range(1, len(names) + 1):
                if end == len(names) or model.tensors[names[end]].type != model.tensors[names[start]].type:
                    made.append((row, upload_matrix(device, model, names[start:end], storage)))
                    row += made[-1][1].rows
                    start = end
            return tuple(made)

        positions = self.context_length + self._batch
        turns: dict[tuple[float, float], ProgramBuffer] = {}
        factors = _floats(model, "rope_freqs.weight") if config.rope.has_factors else None
        layers: list[LayerWeights] = []
        for layer in range(config.layer_count):
            prefix = f"blk.{layer}."
            key = (config.rope_base(layer), config.rope_scale(layer))
            if key not in turns:
                table = rope_table(positions, config.rope.length, *key, factors)
                turns[key] = device.create_buffer(table.nbytes)
                device.write_buffer(turns[key], table)
            cache = positions * config.kv_head_count * config.head_length * 2
            layers.append(
                LayerWeights(
                    attention_norm=vector(f"{prefix}attn_norm.weight"),
                    qkv=stacked(*(f"{prefix}attn_{one}.weight" for one in "qkv")),
                    bias=vector(*(f"{prefix}attn_{one}.bias" for one in "qkv")) if config.has_qkv_bias else None,
                    q_norm=vector(f"{prefix}attn_q_norm.weight") if config.has_qk_norm else None,
                    k_norm=vector(f"{prefix}attn_k_norm.weight") if config.has_qk_norm else None,
                    output=upload_matrix(device, model, [f"{prefix}attn_output.weight"], storage),
                    attention_post_norm=vector(f"{prefix}post_attention_norm.weight") if config.has_post_norms else None,
                    feed_forward_norm=vector(f"{prefix}ffn_norm.weight"),
                    gate_up=stacked(f"{prefix}ffn_gate.weight", f"{prefix}ffn_up.weight"),
                    down=upload_matrix(device, model, [f"{prefix}ffn_down.weight"], storage),
                    feed_forward_post_norm=vector(f"{prefix}post_ffw_norm.weight") if config.has_post_norms else None,
                    keys=device.create_buffer(cache),
                    values=device.create_buffer(cache),
                    turns=turns[key],
                )
            )
        embedding = upload_matrix(device, model, ["token_embd.weight"], storage)
        self._head = embedding if config.is_output_tied else upload_matrix(device, model, ["output.weight"], storage)
        self._memory = working_memory(device, config, self._batch, self._head.rows, positions)
        self._layers, self._embedding, self._norm = layers, embedding, vector("output_norm.weight")
        self.kernels = ModelKernels(model_shaders())
        self._recorder = LayerRecorder(device, self.kernels, config, self._memory, has_subgroups=self._has_subgroups)

    def _program(self, tokens: int, last: int, ending: Ending) -> tuple[ProgramDispatch, ...]:
        """The dispatches of a batch.

        Args:
            tokens: Of the batch.
            last: Position of the last token that this list is to be run for.
            ending: What follows the blocks.
        """
        key = (tokens, last // TILE, ending)
        if key not in self._programs:
            batch, recorder = Batch(tokens=tokens, tiles=last // TILE + 1), self._recorder
            parts = [recorder.embed(self._embedding, tokens)]
            parts += [recorder.layer(weights, number, batch) for number, weights in enumerate(self._layers)]
            if ending != "nothing":
                parts.append(recorder.head(self._norm, self._head, tokens))
            if ending == "choice":
                parts.append(recorder.choose())
            if ending == "sample":
                parts.append(recorder.sample())
            # One list for each kind: those for fewer keys are not needed again soon.
            self._programs = {other: made for other, made in self._programs.items() if (other[0], other[2]) != (tokens, ending)}
            self._programs[key] = tuple(one for part in parts for one in part)
        return self._programs[key]


def has_subgroups(device: ProgramDevice) -> bool:
    """Whether the subgroups of a device are large enough for activations.wgsl."""
    return subgroup_size(device, SUBGROUP_WIDTH) >= SUBGROUP_LEAST


def _without(kernel: str, dispatches: Sequence[ProgramDispatch], taken: Taken, nothing: Taken) -> KernelTime:
    """What dispatches took, less what a submission and a read take that hold none."""
    net = Taken(wall=max(0.0, taken.wall - nothing.wall), cpu=max(0.0, taken.cpu - nothing.cpu))
    return KernelTime(kernel=kernel, dispatches=len(dispatches), taken=net)


def working_memory(device: ProgramDevice, config: ModelConfig, batch: int, logit_rows: int, positions: int) -> WorkingMemory:
    """Buffers for batches of so many tokens, logits of so many rows, and a cache of so many positions."""
    heads = (config.head_count + 2 * config.kv_head_count) * config.head_length
    tiles = -(-positions // TILE)
    queries = config.head_count * config.head_length * batch * 4
    widest = _widest(config) * batch
    return WorkingMemory(
        state=device.create_buffer(16, is_uniform=True),
        tokens=device.create_buffer(4 * batch),
        residual=device.create_buffer(config.embedding_length * batch * 4),
        bytes=device.create_buffer(max(UNIFORM_SPACE, widest), is_uniform=True),
        scales=device.create_buffer(max(UNIFORM_SPACE, widest // 2), is_uniform=True),
        floats=device.create_buffer(max(UNIFORM_SPACE, widest * 4), is_uniform=True),
        qkv=device.create_buffer(heads * batch * 4),
        q=device.create_buffer(UNIFORM_SPACE, is_uniform=True) if queries <= UNIFORM_SPACE else device.create_buffer(queries),
        gate_up=device.create_buffer(2 * config.feed_forward_length * batch * 4),
        back=device.create_buffer(config.embedding_length * batch * 4),
        logits=device.create_buffer(logit_rows * batch * 4),
        tile_sums=device.create_buffer(batch * tiles * config.head_count * config.head_length * 4),
        tile_tops=device.create_buffer(batch * tiles * config.head_count * 8),
        tiles=tiles,
        best=device.create_buffer(SEARCHERS * 8),
        chosen=device.create_buffer(4 * _RUN),
        sampling=device.create_buffer(_SAMPLING_SETTINGS.size, is_uniform=True),
        recent=device.create_buffer(4 * MOST_KEPT),
        likeliest=device.create_buffer(8 * MOST_KEPT * SAMPLING_GROUPS),
    )


def _sampling_settings(config: ModelConfig, sampling: Sampling, *, window: int, oldest: int, drawn: int) -> bytes:
    kept = 1 if sampling.temperature <= 0 else sampling.top_k
    return _SAMPLING_SETTINGS.pack(
        config.vocabulary_size,
        kept,
        window,
        oldest,
        drawn & 0xFFFFFFFF,
        *sampling.seed_words,
        sampling.top_p,
        sampling.min_p,
        sampling.inverse_temperature,
        sampling.repeat_penalty,
        sampling.inverse_penalty,
    )


_SAMPLING_SETTINGS = struct.Struct("<7I5f")
"""`Settings` of sample.wgsl."""

_NO_TOKEN = 0xFFFFFFFF


def _floats(model: ModelFile, name: str) -> NDArray[np.float32]:
    tensor = model.tensors[name]
    return dequantize(tensor.type, model.blocks(name), tensor.shape).reshape(-1)


def check_sizes(config: ModelConfig) -> None:
    """What the kernels ask of a model's sizes.

    Raises:
        ModelUnusable: They do not have it.
    """
    for what, length, step in (
        ("embedding", config.embedding_length, 32),
        ("feed-forward layer", config.feed_forward_length, 32),
        ("head", config.head_length, 32),
    ):
        if length % step:
            raise ModelUnusable(f"the {what} has {length:,} components, which the device's kernels take in steps of {step}")


def _choose_batch(config: ModelConfig, *, has_subgroups: bool) -> int:
    """The most tokens whose quantised activations lie where they are read the fastest."""
    longest = UNIFORM_SPACE * 2 if has_subgroups else UNIFORM_SPACE
    return next((batch for batch in BATCHES if _widest(config) * batch <= longest), BATCHES[-1])


def _widest(config: ModelConfig) -> int:
    return max(config.embedding_length, config.feed_forward_length, config.head_count * config.head_length)
