"""The device against its arithmetic repeated on numpy, and both against llama.cpp, on random models.

Where the driver rounds as IEEE 754 says and contracts nothing, as llvmpipe does, device and numpy are equal bit for bit. On another
adapter the exponentials and sums may differ in their last places, which quantising activations again and again makes larger: then the
logits are held to a hundredth of their spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model_testing.llama_cpp_peer import LlamaCppPeer
from model_testing.random_models import RandomModel
from pixel_core.engines.device_program import ProgramDevice, open_program_device
from pixel_core.errors import ContextFull, ModelUnusable
from pixel_core.inference.backend import GreedyBackend
from pixel_core.inference.config import ModelConfig, read_config
from pixel_core.inference.device_backend import DeviceBackend, DeviceOptions
from pixel_core.inference.exact_backend import ExactBackend
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.weights.gguf import Gguf
from pixel_core.weights.model_file import ModelFile, open_model

Write = Callable[[RandomModel], Path]

pytestmark = pytest.mark.device

SMALL = RandomModel(type="Q4_1", width=96, heads=6, kv_heads=2, head_length=32, feed_forward=160, is_output_tied=True)

SOME_FLOATS = {"token_embd": "F16", "attn_v": "F16", "attn_output": "BF16", "ffn_up": "F32", "ffn_down": "F16"}

LARGE = RandomModel(width=256, heads=4, kv_heads=2, head_length=64, feed_forward=512, layers=1, is_output_tied=True)
"""For types whose blocks are 256 columns long."""

GEMMA = RandomModel(
    architecture="gemma3",
    vocabulary="llama",
    layers=6,
    width=64,
    heads=4,
    kv_heads=1,
    head_length=256,
    feed_forward=96,
    is_output_tied=True,
)

OPTIONS = DeviceOptions(context_length=96)


def config_of(file: ModelFile) -> ModelConfig:
    return read_config(PlainMetadata(file.metadata), {name: tensor.shape for name, tensor in file.tensors.items()})


@pytest.fixture
def open_both(random_model: Write) -> Iterator[Callable[..., tuple[DeviceBackend, ExactBackend]]]:
    opened: list[DeviceBackend] = []

    def make(model: RandomModel, options: DeviceOptions = OPTIONS) -> tuple[DeviceBackend, ExactBackend]:
        with open_model(random_model(model)) as file:
            config = config_of(file)
            opened.append(DeviceBackend(open_program_device(), file, config, options))
            return opened[-1], ExactBackend(file, config, context_length=options.context_length)

    yield make
    for one in opened:
        one.close()


def some_tokens(count: int) -> list[int]:
    return np.random.default_rng(3).integers(3, 288, count).tolist()


def check_equal(backend: DeviceBackend, actual: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    assert np.isfinite(actual).all()
    if "llvmpipe" in backend.description:
        assert np.array_equal(actual, expected)
    else:
        assert np.abs(actual - expected).max() < 0.01 * expected.std()


@pytest.mark.parametrize(
    "model",
    [
        SMALL,
        replace(SMALL, type="Q4_0", is_output_tied=False),
        replace(SMALL, type="Q8_0", architecture="qwen2"),
        replace(SMALL, type="Q8_0", architecture="qwen3", heads=2, kv_heads=1, head_length=64),
        replace(SMALL, type="Q4_1", architecture="qwen2", heads=3, kv_heads=3),
        replace(SMALL, has_rope_factors=True, heads=4, kv_heads=1),
        replace(SMALL, type="F32", architecture="qwen2"),
        replace(SMALL, type="F16", is_output_tied=False),
        replace(SMALL, type="BF16", architecture="qwen3"),
        replace(SMALL, type="Q4_0", types=SOME_FLOATS),
        replace(LARGE, type="Q4_K", is_output_tied=False),
        # As llama-quantize mixes them: some values and ways down in Q6_K, and the output.
        replace(LARGE, type="Q4_K", types={"token_embd": "Q6_K", "blk.0.attn_v": "Q6_K", "blk.0.ffn_down": "Q6_K", "attn_output": "Q8_0"}),
        # Five layers see eight tokens, the sixth sees all, with another base of rope.
        replace(GEMMA, type="Q8_0"),
    ],
    ids=[
        *("q4_1", "q4_0, own output", "q8_0, bias, halves", "q8_0, norms of heads", "q4_1, heads alone", "rope factors"),
        *("f32", "f16, own output", "bf16", "floats among quants", "q4_k", "q4_k_m", "gemma3"),
    ],
)  # fmt: skip
def test_the_device_computes_what_numpy_does(model: RandomModel, open_both: Callable[..., tuple[DeviceBackend, ExactBackend]]) -> None:
    device, exact = open_both(model)
    tokens = some_tokens(41)  # into the second tile of keys, and no multiple of a batch
    check_equal(device, device.feed_all(tokens[:11]), exact.feed_all(tokens[:11]))
    check_equal(device, device.feed(tokens[11:40]), exact.feed(tokens[11:40]))
    check_equal(device, device.feed(tokens[40:]), exact.feed(tokens[40:]))
    assert device.length == exact.length == 41


def test_rows_too_long_for_uniforms_are_read_from_storage(open_both: Callable[..., tuple[DeviceBackend, ExactBackend]]) -> None:
    """Of 16,448 columns: 64 KiB hold the bytes of three tokens, but not of four, and not the floats of one."""
    device, exact = open_both(replace(SMALL, feed_forward=16_448, types={"blk.0.ffn_down": "F16"}))
    check_equal(device, device.feed_all(some_tokens(6)), exact.feed_all(some_tokens(6)))
    check_equal(device, device.feed([7]), exact.feed([7]))


def test_tokens_chosen_on_the_device_are_the_likeliest(open_both: Callable[..., tuple[DeviceBackend, ExactBackend]]) -> None:
    device, exact = open_both(SMALL)
    assert isinstance(device, GreedyBackend)
    logits = device.feed(some_tokens(5))
    exact.feed(some_tokens(5))
    token = int(np.argmax(logits))
    expected: list[int] = []
    for _ in range(40):
        expected.append(int(np.argmax(exact.feed([expected[-1] if expected else token]))))
    assert device.decode_greedy(token, 40) == expected
    assert device.length == 45
    check_equal(device, device.feed(expected[-1:]), exact.feed(expected[-1:]))


def test_buffers_give_the_bits_of_textures(open_both: Callable[..., tuple[DeviceBackend, ExactBackend]]) -> None:
    device, exact = open_both(SMALL, DeviceOptions(context_length=96, storage="buffer"))
    assert "buffers" in device.description
    check_equal(device, device.feed_all(some_tokens(6)), exact.feed_all(some_tokens(6)))


def test_planes_that_a_file_does_not_hold_are_packed(
    open_both: Callable[..., tuple[DeviceBackend, ExactBackend]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PXI may hold the bytes of any tensor as they are, as those did that were made before there were planes for its type."""

    def none(file: Gguf, name: str, plane: str) -> NDArray[np.uint32]:
        raise KeyError(plane)

    monkeypatch.setattr(Gguf, "texels", none)
    device, exact = open_both(SMALL)
    check_equal(device, device.feed([7]), exact.feed([7]))


def test_a_truncated_cache_goes_on_as_if_nothing_had_been(open_both: Callable[..., tuple[DeviceBackend, ExactBackend]]) -> None:
    device, _ = open_both(SMALL)
    device.feed(some_tokens(5))
    expected = device.feed([7])
    device.feed(some_tokens(20))
    device.truncate(5)
    assert np.array_equal(device.feed([7]), expected)
    with pytest.raises(ValueError, match="the cache holds 6 tokens"):
        device.truncate(7)


def test_a_full_context_takes_nothing_more_and_stays_as_it_is(open_both: Callable[..., tuple[DeviceBackend, ExactBackend]]) -> None:
    device, exact = open_both(SMALL, DeviceOptions(context_length=40))
    device.feed(some_tokens(38))
    exact.feed(some_tokens(38))
    with pytest.raises(ContextFull, match="41 tokens do not fit into the context of 40"):
        device.feed([1, 2, 3])
    with pytest.raises(ContextFull, match="41 tokens do not fit"):
        device.decode_greedy(1, 3)
    check_equal(device, device.feed_all([1, 2]), exact.feed_all([1, 2]))
    for tokens in ([], [-1], [device.config.vocabulary_size]):
        with pytest.raises(ValueError, match="token"):
            device.feed(tokens)


def test_what_no_kernel_computes_is_refused_in_a_sentence(random_model: Write) -> None:
    device = open_program_device()
    for model, message in (
        (replace(SMALL, type="Q5_0"), "weights of the type Q5_0 have no kernels yet"),
        (replace(SMALL, type="Q8_0", head_length=20, heads=8, kv_heads=4), "the head has 20 components"),
        (
            replace(SMALL, layers=1, feed_forward=32_800),
            "`blk.0.ffn_down.weight` has rows of 32,800 weights, too long for the device's kernels",
        ),
    ):
        with open_model(random_model(model)) as file, pytest.raises(ModelUnusable, match=message):
            DeviceBackend(device, file, config_of(file))
    device.close()


def distances(path: Path, tokens: list[int]) -> tuple[float, float]:
    """Distance from llama.cpp: the greatest of the first token, the root mean square of all, as parts of the spread."""
    with open_model(path) as file:
        logits = ExactBackend(file, config_of(file)).feed_all(tokens)
    peer = LlamaCppPeer(path, exact_cache=False)
    try:
        distance = peer.logits(tokens) - logits
    finally:
        peer.close()
    return float(np.abs(distance[0]).max() / logits.std()), float(np.sqrt(np.mean(distance**2)) / logits.std())


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0"])
def test_the_arithmetic_is_that_of_llama_cpp(kind: str, random_model: Write) -> None:
    """Activations are rounded as llama.cpp rounds them. The first token sees itself alone, and nothing but the order of float32 sums is
    left; later ones differ by how attention rounds to float16 (llama.cpp rounds queries and weights too), about one step of a quantised
    activation here and there: some hundredths of the logits' spread, where a wrong sign, pair or bias moves them by all of it."""
    first, all_ = distances(random_model(replace(SMALL, type=kind)), some_tokens(24))
    assert first < 1e-5
    assert all_ < 0.05


@pytest.mark.parametrize(("kind", "bound"), [("F32", 1e-5), ("F16", 2e-3), ("BF16", 2e-2)])
def test_weights_that_are_floats_are_multiplied_with_floats(kind: str, bound: float, random_model: Write) -> None:
    """llama.cpp rounds activations to the type of the weights, to 11 and to 8 bits, which is what the bounds leave room for; the device
    does not round them. With float32 nothing but the order of sums is left."""
    first, all_ = distances(random_model(replace(SMALL, type=kind)), some_tokens(24))
    assert first < bound
    assert all_ < max(bound, 2e-3)


@pytest.mark.parametrize("kind", ["Q4_K", "Q6_K"])
def test_blocks_of_256_are_near_llama_cpp(kind: str, random_model: Write) -> None:
    """llama.cpp gives activations one scale for 256 columns, the device one for 32: a rounding each, of which the device's is the finer."""
    first, all_ = distances(random_model(replace(LARGE, type=kind)), some_tokens(24))
    assert first < 0.1
    assert all_ < 0.05


def test_gemma_is_that_of_llama_cpp(random_model: Write) -> None:
    """24 tokens, three windows; llama.cpp looks GELU up in a table of float16, by a float16."""
    first, all_ = distances(random_model(replace(GEMMA, type="F32")), some_tokens(24))
    assert first < 2e-3
    assert all_ < 4e-3


def test_weights_larger_than_a_page_are_split(random_model: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter with textures of 16 texels on a side and bindings of 8 KiB: every matrix of more than 64 or so rows has several pages."""
    path = random_model(replace(SMALL, width=64, heads=2, kv_heads=1, feed_forward=64, types={"token_embd": "F16"}))
    tokens = some_tokens(6)
    with open_model(path) as file:
        expected = ExactBackend(file, config_of(file)).feed_all(tokens)
        real = ProgramDevice.limit

        def small(device: ProgramDevice, name: str) -> int:
            return {"max-texture-dimension-2d": 16, "max-storage-buffer-binding-size": 1 << 13}.get(name) or real(device, name)

        monkeypatch.setattr(ProgramDevice, "limit", small)
        for storage in ("texture", "buffer"):
            backend = DeviceBackend(open_program_device(), file, config_of(file), DeviceOptions(context_length=32, storage=storage))
            check_equal(backend, backend.feed_all(tokens), expected)
            backend.close()


def test_a_real_model_says_where_paris_lies(smollm2: Path) -> None:
    """SmolLM2-135M, 98 MB: more than one page of embeddings, 30 layers, two types. On llvmpipe numpy's exact arithmetic says the same."""
    with open_model(smollm2) as file:
        words = PlainMetadata(file.metadata)["tokenizer.ggml.tokens"]
        assert isinstance(words, tuple)
        backend = DeviceBackend(open_program_device(), file, config_of(file), DeviceOptions(context_length=64))
    logits = backend.feed([words.index(word) for word in ("The", "Ġcapital", "Ġof", "ĠFrance", "Ġis")])
    first = int(np.argmax(logits))
    chosen = [first, *backend.decode_greedy(first, 6)]
    backend.close()
    text = "".join(words[token] for token in chosen)
    assert text.startswith("ĠParis")
    if "llvmpipe" in backend.description:
        assert text == "ĠParis.ĊĊTheĠUnitedĠStates"
