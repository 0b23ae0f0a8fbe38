"""Tint, the WGSL compiler of Chrome, through the optional package `dawn-python`.

The only file that imports `pydawn`. It needs no GPU and no driver: Dawn's Null backend validates everything and executes nothing. The
package itself offers neither that backend nor compilation messages, so both are reached through its ctypes declarations of `webgpu.h`.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
from collections.abc import Generator
from typing import Any

from msgspec.structs import replace

from pixel_core.engines.compilers import AbsentCompiler, CompilerMessage, MessageLabel
from pixel_core.findings import Severity

TINT = "tint"
INSTALL_HINT = 'pip install "pixel-lsp[tint]"'

_FEATURES = ("ShaderF16", "Subgroups", "ClipDistances", "DualSourceBlending")
"""Without them Tint reports the use of the extension, whatever a browser on this machine would do."""

_SEVERITIES = {1: Severity.ERROR, 2: Severity.WARNING, 3: Severity.INFO}
"""`WGPUCompilationMessageType`."""


def tint_version() -> str | None:
    """The version of `dawn-python` that is installed; None when it is not. Loads nothing."""
    try:
        return importlib.metadata.version("dawn-python")
    except importlib.metadata.PackageNotFoundError:
        return None


def open_tint() -> TintCompiler | AbsentCompiler:
    """Load Dawn and open a device on its Null backend (50-180 ms)."""
    try:
        return TintCompiler()
    except ModuleNotFoundError:
        return AbsentCompiler(compiler=TINT, reason="the package `dawn-python` is not installed", hint=INSTALL_HINT)
    except Exception as problem:  # noqa: BLE001 -- a library that cannot be loaded fails in many ways
        return AbsentCompiler(compiler=TINT, reason=f"Dawn cannot be used: {problem}", hint=INSTALL_HINT)


class TintCompiler:
    """A Dawn device that only compiles. Not for use by several threads at once.

    Raises:
        ModuleNotFoundError: `dawn-python` is not installed.
        RuntimeError: Dawn gives no device.
        OSError: Its library cannot be loaded.
    """

    def __init__(self) -> None:
        from pydawn import utils, webgpu

        # ctypes declarations made by a generator: they have no types of their own.
        self._webgpu: Any = webgpu
        self._utils: Any = utils
        with _null_backend(self._utils, self._webgpu):
            adapter = self._utils.request_adapter_sync(power_preference=self._webgpu.WGPUPowerPreference_HighPerformance)
        features = [getattr(self._webgpu, f"WGPUFeatureName_{name}") for name in _FEATURES]
        offered = [feature for feature in features if self._webgpu.wgpuAdapterHasFeature(adapter, feature)]
        self._device: Any = self._utils.request_device_sync(adapter, offered)

    def compile(self, source: str) -> tuple[CompilerMessage, ...]:
        """Every syntax error, or the first error of meaning, and the warnings."""
        data = source.encode("utf-8", "replace")
        reported = self._report(data)
        messages: list[CompilerMessage] = []
        for severity, offset, length, text in reported:
            start, end = _code_points(data, offset), _code_points(data, offset + length)
            if severity is Severity.INFO and messages:
                # Tint's notes follow the message that they explain.
                label = MessageLabel(start=start, end=end, text=text)
                messages[-1] = replace(messages[-1], labels=(*messages[-1].labels, label))
            else:
                head, _, rest = text.partition("\n")
                detail = rest.strip("\n")
                messages.append(CompilerMessage(compiler=TINT, severity=severity, message=head, start=start, end=end, detail=detail))
        return tuple(messages)

    def _report(self, data: bytes) -> list[tuple[Severity, int, int, str]]:
        """Severity, offset and length in UTF-8 bytes, and text of each message."""
        webgpu, utils = self._webgpu, self._utils
        kept = ctypes.create_string_buffer(data)
        view = webgpu.WGPUStringView()
        view.data = ctypes.cast(ctypes.pointer(kept), ctypes.POINTER(ctypes.c_char))
        view.length = len(data)
        wgsl = webgpu.WGPUShaderSourceWGSL()
        wgsl.code = view
        wgsl.chain.next, wgsl.chain.sType = None, webgpu.WGPUSType_ShaderSourceWGSL
        descriptor = webgpu.WGPUShaderModuleDescriptor()
        descriptor.nextInChain = ctypes.cast(ctypes.pointer(wgsl), ctypes.POINTER(webgpu.struct_WGPUChainedStruct))
        found: list[tuple[Severity, int, int, str]] = []

        def receive(_status: int, info: Any, _first: object, _second: object) -> None:
            for number in range(info.contents.messageCount):
                one = info.contents.messages[number]
                text = ctypes.string_at(one.message.data, one.message.length).decode("utf-8", "replace")
                found.append((_SEVERITIES.get(one.type, Severity.INFO), one.offset, one.length, text))

        # The scope takes the error that a refused module is, which would be printed otherwise.
        webgpu.wgpuDevicePushErrorScope(self._device, webgpu.WGPUErrorFilter_Validation)
        module = webgpu.wgpuDeviceCreateShaderModule(self._device, descriptor)
        try:
            request = webgpu.WGPUCompilationInfoCallbackInfo2()
            callback = webgpu.WGPUCompilationInfoCallback2(receive)  # must live until `wait` returns
            request.nextInChain, request.mode, request.callback = None, webgpu.WGPUCallbackMode_WaitAnyOnly, callback
            utils.wait(webgpu.wgpuShaderModuleGetCompilationInfo2(module, request))
            utils.pop_error(self._device)
        finally:
            webgpu.wgpuShaderModuleRelease(module)
        return found


@contextlib.contextmanager
def _null_backend(utils: Any, webgpu: Any) -> Generator[None]:
    """Make pydawn, which reads an environment variable, ask for the backend that needs no driver."""
    utils.supported_backends["Null"] = webgpu.WGPUBackendType_Null
    before = os.environ.get("BACKEND_TYPE")
    os.environ["BACKEND_TYPE"] = "Null"
    try:
        yield
    finally:
        if before is None:
            del os.environ["BACKEND_TYPE"]
        else:
            os.environ["BACKEND_TYPE"] = before


def _code_points(data: bytes, offset: int) -> int:
    return len(data[:offset].decode("utf-8", "ignore"))
