"""Runs a contract's reference function. One file for the *user's* interpreter, where pixel_core is not installed.

Needs Python 3.8 and numpy. Speaks the frames of `pixel_core.processes.frames`: four bytes of length (big endian), then JSON.
Started by path, with `--parent PID --memory-bytes N`.
"""

from __future__ import annotations

import sys

# Started by path, so our own folder comes first, and its `numbers` and `codecs` would be taken for the standard library's.
if not getattr(sys.flags, "safe_path", False):
    sys.path.pop(0)

import argparse
import ctypes
import hashlib
import importlib.machinery
import importlib.util
import inspect
import json
import os
import queue
import signal
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO, Callable  # noqa: UP035 -- Python 3.8

_MAX_FRAME_BYTES = 1 << 26
_PR_SET_PDEATHSIG = 1
_MODULE_NAME = "_pixel_lsp_reference"


class ReferenceProblem(Exception):  # noqa: N818 -- a user's mistake, not an error of ours
    """Why there is no result: `kind`, one sentence, and the traceback if there is one."""

    def __init__(self, kind: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.detail = detail


class _Sources:
    """Imports the workspace's Python files from their text, and remembers its hash.

    Python takes bytecode for a file's own when size and second of the last change agree, and a quick edit keeps both. So none is read, and
    none is left beside the files. The hash is that of the text that ran: the file may have changed since.

    Attributes:
        read: Real path → sha256 of every file that was imported.
    """

    def __init__(self) -> None:
        self.read: dict[str, str] = {}
        self._workspace: str | None = None

    def watch(self, workspace: str) -> None:
        """From now on import what lies in the workspace, installed packages apart, in this way."""
        if self._workspace is None:
            self._workspace = workspace
            sys.path_hooks.insert(0, self._finder)
            sys.path_importer_cache.clear()

    def loader(self, name: str, path: str) -> importlib.machinery.SourceFileLoader:
        """The loader of one file."""
        sources = self

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname: str) -> Any:  # noqa: ARG002 -- the signature is importlib's
                data = self.get_data(self.path)
                sources.read[os.path.realpath(self.path)] = hashlib.sha256(data).hexdigest()
                return self.source_to_code(data, self.path)

        return Loader(name, path)

    def _finder(self, folder: str) -> importlib.machinery.FileFinder:
        if not self._workspace or not _is_of_workspace(self._workspace, folder):
            raise ImportError("not a folder of the workspace", path=folder)
        extensions = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
        finder: Any = importlib.machinery.FileFinder
        return finder(folder, extensions, (self.loader, importlib.machinery.SOURCE_SUFFIXES))


def main() -> None:
    """Answer requests until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--memory-bytes", type=int, default=0)
    options = parser.parse_args()
    _limit_process(options.parent, options.memory_bytes)
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What the reference prints must not get between the frames, and what it reads must not take them.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    _serve(incoming, outgoing)


def _serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    functions: dict[tuple[str, str], Any] = {}
    sources = _Sources()
    requests: queue.Queue[dict[str, Any]] = queue.Queue()
    writing = threading.Lock()

    def send(number: int, kind: str, body: Any) -> None:
        frame = json.dumps({"id": number, "kind": kind, "body": body}).encode("utf-8")
        with writing:
            outgoing.write(len(frame).to_bytes(4, "big") + frame)
            outgoing.flush()

    def read() -> None:
        while True:
            head = incoming.read(4)
            length = int.from_bytes(head, "big")
            if len(head) < 4 or length > _MAX_FRAME_BYTES:
                # The parent is gone; the reference may be in a loop that never ends.
                os._exit(0)
            message = json.loads(incoming.read(length).decode("utf-8"))
            if message["kind"] == "request":
                send(message["id"], "received", None)
                requests.put(message)

    threading.Thread(target=read, daemon=True).start()
    while True:
        message = requests.get()
        send(message["id"], "reply", _answer(message["body"], functions, sources))


def _answer(request: dict[str, Any], functions: dict[tuple[str, str], Any], sources: _Sources) -> dict[str, Any]:
    file = request["file"]
    answer: dict[str, Any] = {"outputs": {}, "files": {}, "failure": None}
    try:
        key = (file, request["function"])
        if key not in functions:
            sources.watch(request["workspace"])
            functions[key] = _load(file, request["function"], sources, is_codec=request["task"] in _CODEC_TASKS)
        if request["task"] in _CODEC_TASKS:
            answer["outputs"] = _CODEC_TASKS[request["task"]](functions[key], request)
        else:
            result = _call(functions[key], _arguments(functions[key], request), file)
            answer["outputs"] = _write_input(result, request) if request["task"] == "input" else _write_outputs(result, request)
    except ReferenceProblem as problem:
        answer["failure"] = {"kind": problem.kind, "message": problem.message, "detail": problem.detail}
    answer["files"] = _workspace_modules(request["workspace"], file, sources)
    return answer


def _load(file: str, function: str, sources: _Sources, *, is_codec: bool) -> Any:
    try:
        # Before the folder of the user comes first, so that no file there can stand in for a part of it.
        importlib.import_module("numpy")
    except Exception as problem:  # noqa: BLE001 -- a broken numpy fails in many ways
        raise ReferenceProblem("no_numpy", f"{sys.executable} cannot import numpy: {problem}") from None
    name = Path(file).name
    if str(Path(file).parent) not in sys.path:
        sys.path.insert(0, str(Path(file).parent))
    try:
        loader = sources.loader(_MODULE_NAME, file) if Path(file).suffix in importlib.machinery.SOURCE_SUFFIXES else None
        spec = importlib.util.spec_from_file_location(_MODULE_NAME, file, loader=loader)
        if spec is None or spec.loader is None:
            raise ReferenceProblem("import", f"`{name}` is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[_MODULE_NAME] = module
        spec.loader.exec_module(module)
    except ReferenceProblem:
        raise
    except BaseException as problem:  # noqa: BLE001 -- whatever the user's file does, SystemExit too
        raise _problem_in("import", f"importing `{name}` failed", problem, file) from None
    found = getattr(module, function, None)
    if found is not None and is_codec:
        return found
    if not callable(found):
        names = [key for key, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == _MODULE_NAME]
        there = f"it has {', '.join(f'`{one}`' for one in names[:5])}" if names else "it has no functions"
        what = "has no function" if found is None else "holds something that cannot be called as"
        raise ReferenceProblem("import", f"`{name}` {what} `{function}`; {there}")
    return found


def _arguments(function: Callable[..., Any], request: dict[str, Any]) -> dict[str, Any]:
    """Everything on offer that the function takes: all of it with `**anything`, else by parameter name; settings by name alone."""
    import numpy as np

    folder = Path(request["folder"])
    offered: dict[str, Any] = dict(request["values"])
    for name, parts in request["arrays"].items():
        arrays = {part: np.load(folder / file, allow_pickle=False) for part, file in parts.items()}
        offered[name] = arrays.get("", arrays)
    if request["task"] == "input":
        offered = {"seed": request["seed"], "rng": np.random.default_rng(request["seed"]), **offered}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return offered
    by_name = [one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    settings = {one.name: request["settings"][one.name] for one in by_name if one.name in request["settings"]}
    offered = {**settings, **offered}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return offered
    missing = [one.name for one in by_name if one.default is one.empty and one.name not in offered]
    if missing:
        names = ", ".join(f"`{name}`" for name in offered)
        raise ReferenceProblem("wrong_signature", f"`{request['function']}` asks for `{missing[0]}`; it can have {names}")
    return {one.name: offered[one.name] for one in by_name if one.name in offered}


def _call(function: Callable[..., Any], arguments: dict[str, Any], file: str) -> Any:
    try:
        return function(**arguments)
    except SystemExit as problem:
        message = f"it called sys.exit({problem.code!r}) instead of returning"
        raise ReferenceProblem("exited", message, _user_traceback(problem, file)) from None
    except MemoryError as problem:
        raise ReferenceProblem("memory", "it needs more memory than it may have", _user_traceback(problem, file)) from None
    except BaseException as problem:  # noqa: BLE001 -- whatever the user's function raises is an answer
        raise _problem_in("raised", "it raised", problem, file) from None


def _write_outputs(result: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Check every output that the contract wants and write it (and its scale) as float64 or as it is."""
    import numpy as np

    wanted: dict[str, list[int]] = request["outputs"]
    if not isinstance(result, dict):
        names = ", ".join(f'"{name}": …' for name in wanted)
        raise ReferenceProblem("wrong_result", f"it returned {_describe(result)} instead of a dict {{{names}}}")
    for name in result:
        if name not in wanted:
            there = ", ".join(f"`{one}`" for one in wanted)
            raise ReferenceProblem("wrong_result", f"it returned {name!r}, which is no output; the outputs are {there}")
    folder = Path(request["folder"])
    written: dict[str, Any] = {}
    for number, (name, shape) in enumerate(wanted.items()):
        if name not in result:
            if name in request["optional"]:
                continue
            raise ReferenceProblem("wrong_result", f"it returned no `{name}`")
        value, scale = result[name], None
        if isinstance(value, tuple):
            if len(value) != 2:
                raise ReferenceProblem("wrong_result", f"it returned a tuple of {len(value)} for `{name}`; (array, scale) has two")
            value, scale = value
        written[name] = {"value": f"value{number}.npy", "scale": None if scale is None else f"scale{number}.npy"}
        np.save(folder / f"value{number}.npy", _array(value, shape, f"`{name}`"), allow_pickle=False)
        if scale is not None:
            np.save(folder / f"scale{number}.npy", _broadcast(scale, shape, f"the scale of `{name}`"), allow_pickle=False)
    return written


def _write_input(result: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Check the content of one buffer and write it as it is; what does not fit its type is the kernel worker's to tell."""
    import numpy as np

    ((name, shape),) = request["outputs"].items()
    if result is None:
        raise ReferenceProblem("wrong_result", f"it returned nothing; `{name}` is an array of shape {shape}")
    array = _array(result, shape, "what it returned")
    if array.dtype.kind == "f" and request["scalar"] in ("u32", "i32"):
        raise ReferenceProblem("wrong_result", f"it returned {array.dtype}, and `{name}` holds {request['scalar']}")
    np.save(Path(request["folder"]) / "input.npy", array, allow_pickle=False)
    return {name: {"value": "input.npy"}}


def _write_packed(codec: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Pack an array, or take the bytes that are given, unpack them, and check that packing that again changes nothing."""
    import numpy as np

    (name,) = request["outputs"]
    folder = Path(request["folder"])
    if request["memory"]:
        packed = Path(request["memory"]).read_bytes()[: request["memory_bytes"]]
    else:
        packed = _encoded(codec, np.load(folder / request["arrays"][name][""], allow_pickle=False), request)
    kept, _ = _decoded(codec, packed, request)
    if not np.isfinite(kept).all():
        raise ReferenceProblem("wrong_result", "`decode` gave numbers that are not finite")
    if not request["memory"]:
        again, _ = _decoded(codec, _encoded(codec, kept, request), request)
        differing = np.argwhere(again != kept)
        if len(differing):
            place = tuple(differing[0].tolist())
            raise ReferenceProblem(
                "wrong_result",
                f"packing what it unpacked changes {len(differing):,} of {kept.size:,} values: "
                f"{name}{list(place)} is {kept[place]:.7g}, and {again[place]:.7g} after `encode` and `decode`",
            )
    np.save(folder / "unpacked.npy", kept, allow_pickle=False)
    (folder / "packed.bin").write_bytes(packed)
    return {name: {"value": "unpacked.npy", "memory": "packed.bin"}}


def _write_unpacked(codec: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Unpack what a kernel wrote, and what packing makes of the truth, with the steps of the latter: a kernel must not choose its own."""
    import numpy as np

    (name,) = request["outputs"]
    folder = Path(request["folder"])
    try:
        values, step = _decoded(codec, Path(request["memory"]).read_bytes()[: request["memory_bytes"]], request)
    except ReferenceProblem as problem:
        raise ReferenceProblem(problem.kind, f"unpacking what the kernel wrote: {problem.message}", problem.detail) from None
    np.save(folder / "unpacked.npy", values, allow_pickle=False)
    written = {"value": "unpacked.npy"}
    if request["arrays"] and (step is not None or callable(getattr(codec, "encode", None))):
        truth = np.load(folder / request["arrays"][name][""], allow_pickle=False)
        nearest, step = _decoded(codec, _encoded(codec, truth, request), request)
        np.save(folder / "nearest.npy", nearest, allow_pickle=False)
        written["nearest"] = "nearest.npy"
        if step is not None:
            if not (step >= 0).all():
                raise ReferenceProblem("wrong_result", "`decode` gave a step that is not 0 or more")
            np.save(folder / "step.npy", step, allow_pickle=False)
            written["step"] = "step.npy"
    return {name: written}


def _encoded(codec: Any, values: Any, request: dict[str, Any]) -> bytes:
    import numpy as np

    result = _call(_method(codec, "encode", request), {"values": values.copy()}, request["file"])
    if isinstance(result, np.ndarray) and result.dtype == np.uint8:
        result = result.tobytes()
    if not isinstance(result, (bytes, bytearray, memoryview)):
        raise ReferenceProblem("wrong_result", f"`encode` returned {_describe(result)} instead of bytes, or an array of uint8")
    packed = bytes(result)
    if len(packed) != request["memory_bytes"]:
        message = f"`encode` returned {len(packed):,} bytes, and by the contract it is {request['memory_bytes']:,}"
        raise ReferenceProblem("wrong_result", message)
    return packed


def _decoded(codec: Any, packed: bytes, request: dict[str, Any]) -> tuple[Any, Any]:
    """The values, and how far each lies from its neighbours, or None where `decode` does not say."""
    import numpy as np

    ((name, shape),) = request["outputs"].items()
    arguments = {"data": np.frombuffer(packed, np.uint8).copy(), "shape": tuple(shape)}
    result = _call(_method(codec, "decode", request), arguments, request["file"])
    step = None
    if isinstance(result, tuple):
        if len(result) != 2:
            raise ReferenceProblem("wrong_result", f"`decode` returned a tuple of {len(result)}; (values, step) has two")
        result, step = result[0], _broadcast(result[1], shape, f"the step of `{name}`")
    return _array(result, shape, "what `decode` returned").astype(np.float32), step


def _method(codec: Any, name: str, request: dict[str, Any]) -> Callable[..., Any]:
    found = getattr(codec, name, None)
    if not callable(found):
        there = "an object with `encode(values)` and `decode(data, shape)` is needed"
        raise ReferenceProblem("import", f"`{request['function']}` has no function `{name}`; {there}")
    return found


_CODEC_TASKS = {"codec": _write_packed, "unpack": _write_unpacked}


def _broadcast(value: Any, shape: list[int], what: str) -> Any:
    import numpy as np

    array = _array(value, None, what)
    try:
        return np.array(np.broadcast_to(array, shape), np.float64)
    except ValueError:
        raise ReferenceProblem("wrong_result", f"{what} has shape {list(array.shape)}, which does not fit {shape}") from None


def _array(value: Any, shape: list[int] | None, what: str) -> Any:
    import numpy as np

    try:
        array = np.asarray(value)
    except Exception as problem:  # noqa: BLE001 -- a ragged list, or an object with an __array__ of its own
        raise ReferenceProblem("wrong_result", f"{what} is no array: {problem}") from None
    if array.dtype.kind not in "biuf":
        raise ReferenceProblem("wrong_result", f"{what} has dtype {array.dtype}; it must hold real numbers")
    if shape is not None and list(array.shape) != list(shape):
        raise ReferenceProblem("wrong_result", f"{what} has shape {list(array.shape)}, and the contract says {list(shape)}")
    # Native byte order and no subclass: the reader takes plain arrays only.
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C", copy=True, subok=False)


def _problem_in(kind: str, what: str, problem: BaseException, file: str) -> ReferenceProblem:
    place = ""
    for frame in reversed(traceback.extract_tb(problem.__traceback__)):
        if frame.filename == file:
            place = f" ({Path(file).name}:{frame.lineno})"
            break
    if isinstance(problem, SyntaxError) and problem.lineno:
        place = f" ({Path(problem.filename or file).name}:{problem.lineno})"
    text = str(problem) if not isinstance(problem, SyntaxError) else problem.msg
    first_line = text.strip().splitlines()[0][:300] if text.strip() else ""
    sentence = f"{what}: {type(problem).__name__}" + (f": {first_line}" if first_line else "") + place
    return ReferenceProblem(kind, sentence, _user_traceback(problem, file))


def _user_traceback(problem: BaseException, file: str) -> str:
    """The traceback from the user's first line on: our own frames above it say nothing."""
    frames = traceback.extract_tb(problem.__traceback__)
    first = next((number for number, frame in enumerate(frames) if frame.filename == file), len(frames))
    lines = traceback.format_list(frames[first:]) + traceback.format_exception_only(type(problem), problem)
    return "".join(lines)[-8000:]


def _describe(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def _workspace_modules(workspace: str, file: str, sources: _Sources) -> dict[str, str]:
    """Path and sha256 of the reference and of everything it imported from the workspace; installed packages do not count."""
    found = {file, *sources.read}
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and _is_of_workspace(workspace, path):
            found.add(os.path.realpath(path))
    return {path: sources.read.get(path) or _sha256(path) for path in sorted(found)}


def _is_of_workspace(workspace: str, path: str) -> bool:
    real = Path(os.path.realpath(path))
    return Path(workspace) in (real, *real.parents) and not {"site-packages", "dist-packages"} & set(real.parts)


def _sha256(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def _limit_process(parent: int, memory_bytes: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory_bytes:
            try:
                resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
            except (OSError, ValueError):
                return


if __name__ == "__main__":
    main()
