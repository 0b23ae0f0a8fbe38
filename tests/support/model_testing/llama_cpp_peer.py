"""llama.cpp itself, through the symbols that the extension module of xllamacpp exports: its logits and its tokens.

The server that xllamacpp offers gives probabilities of the likeliest tokens only. Interface: `include/llama.h` of llama.cpp. Its parameter
structs grow from version to version; they are taken from llama.cpp's own functions, kept as blobs, and a few fields are changed at
places that are found by their default values.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_WORDS = 256
_CONTEXT_TOKENS, _BATCH, _MICRO_BATCH = 0, 1, 2
_LONGEST_PIECE = 256


class _Parameters(ctypes.Structure):
    """More room than any version needs: passed by value, what is behind the real struct is not looked at."""

    _fields_ = [("words", ctypes.c_int32 * _WORDS)]


class _Batch(ctypes.Structure):
    _fields_ = [
        ("n_tokens", ctypes.c_int32),
        ("token", ctypes.POINTER(ctypes.c_int32)),
        ("embd", ctypes.POINTER(ctypes.c_float)),
        ("pos", ctypes.POINTER(ctypes.c_int32)),
        ("n_seq_id", ctypes.POINTER(ctypes.c_int32)),
        ("seq_id", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
        ("logits", ctypes.POINTER(ctypes.c_int8)),
    ]


_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)


@_LOG
def _ignore(level: int, text: bytes, data: object) -> None:
    return


class LlamaCppPeer:
    """One model in llama.cpp, on the processor.

    Args:
        path: A GGUF file.
        context: Tokens of the context; 0 loads the vocabulary alone.
        threads: Of the processor.
        exact_cache: Keys and values in float32 and no flash attention, where llama.cpp takes float16 by itself.
    """

    def __init__(self, path: Path, *, context: int = 512, threads: int = 1, exact_cache: bool = False) -> None:
        found = importlib.util.find_spec("xllamacpp.xllamacpp")
        assert found is not None
        assert found.origin is not None
        self._library = library = ctypes.CDLL(found.origin)
        library.llama_log_set(_ignore, None)
        library.llama_backend_init()
        for name in ("llama_model_default_params", "llama_context_default_params"):
            getattr(library, name).restype = _Parameters
        for name in ("llama_model_load_from_file", "llama_model_get_vocab", "llama_init_from_model", "llama_get_memory"):
            getattr(library, name).restype = ctypes.c_void_p
        library.llama_get_logits_ith.restype = ctypes.POINTER(ctypes.c_float)
        library.llama_batch_init.restype = _Batch
        parameters = library.llama_model_default_params()
        if context == 0:
            _set_vocab_only(parameters)
        self._model = ctypes.c_void_p(library.llama_model_load_from_file(str(path).encode(), parameters))
        assert self._model.value, f"llama.cpp does not load {path}"
        self._vocabulary = ctypes.c_void_p(library.llama_model_get_vocab(self._model))
        self.vocabulary_size = int(library.llama_vocab_n_tokens(self._vocabulary))
        self._context = ctypes.c_void_p(None)
        self._room = context
        if context:
            settings = library.llama_context_default_params()
            _set_context(settings, context, threads, exact_cache=exact_cache)
            self._context = ctypes.c_void_p(library.llama_init_from_model(self._model, settings))
            assert self._context.value, "llama.cpp makes no context"
            self._batch = library.llama_batch_init(context, 0, 1)

    def tokenize(self, text: str, *, add_special: bool = False, parse_special: bool = False) -> list[int]:
        data = text.encode()
        room = (ctypes.c_int32 * (len(data) + 16))()
        count = self._library.llama_tokenize(self._vocabulary, data, len(data), room, len(room), add_special, parse_special)
        assert count >= 0
        return room[:count]

    def piece(self, token: int, *, special: bool = False) -> bytes:
        room = ctypes.create_string_buffer(_LONGEST_PIECE)
        length = self._library.llama_token_to_piece(self._vocabulary, token, room, _LONGEST_PIECE, 0, special)
        assert length >= 0
        return room.raw[:length]

    def ends_generation(self, token: int) -> bool:
        is_end = self._library.llama_vocab_is_eog
        is_end.restype = ctypes.c_bool
        return bool(is_end(self._vocabulary, token))

    def logits(self, tokens: Sequence[int], *, start: int = 0, last_only: bool = False) -> NDArray[np.float32]:
        """Feed tokens from a position on; float32[len(tokens), vocabulary], or [1, vocabulary] of the last one.

        What stood behind that position is forgotten.
        """
        memory = ctypes.c_void_p(self._library.llama_get_memory(self._context))
        self._library.llama_memory_seq_rm.restype = ctypes.c_bool
        assert self._library.llama_memory_seq_rm(memory, 0, start, -1)
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index], batch.pos[index], batch.n_seq_id[index] = token, start + index, 1
            batch.logits[index] = not last_only or index == len(tokens) - 1
            batch.seq_id[index][0] = 0
        status = self._library.llama_decode(self._context, batch)
        assert status == 0, f"llama_decode gives {status}"
        rows = [
            np.ctypeslib.as_array(self._library.llama_get_logits_ith(self._context, i), (self.vocabulary_size,))
            for i in range(len(tokens) - 1 if last_only else 0, len(tokens))
        ]
        return np.array(rows)

    def close(self) -> None:
        if self._context.value:
            self._library.llama_batch_free(self._batch)
            self._library.llama_free(self._context)
        self._library.llama_model_free(self._model)


def _set_vocab_only(parameters: _Parameters) -> None:
    # The flags are bytes, `vocab_only` first and `use_mmap` (true) or, in later versions, others behind it.
    data = (ctypes.c_uint8 * ctypes.sizeof(parameters)).from_buffer(parameters)
    first = next(index for index in range(64, 80) if data[index] == 1) - 1
    data[first - first % 4] = 1


def _set_context(settings: _Parameters, context: int, threads: int, *, exact_cache: bool) -> None:
    words = settings.words
    assert list(words[:4]) == [512, 2048, 512, 1], list(words)
    words[_CONTEXT_TOKENS] = words[_BATCH] = words[_MICRO_BATCH] = context
    at = next(index for index in range(4, 16) if list(words[index : index + 2]) == [4, 4])
    words[at] = words[at + 1] = threads
    unset = next(index for index in range(at, 24) if list(words[index : index + 4]) == [-1] * 4)
    cache = next(index for index in range(unset + 8, 40) if list(words[index : index + 2]) == [1, 1])
    if exact_cache:
        words[unset + 3] = 0  # flash_attn_type: disabled
        words[cache] = words[cache + 1] = 0  # type_k, type_v: GGML_TYPE_F32
