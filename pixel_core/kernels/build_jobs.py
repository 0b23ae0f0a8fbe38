"""From a planned case to what an engine runs: bytes, bindings, pipeline constants."""

from __future__ import annotations

from collections.abc import Mapping

from pixel_core.engines.base import BindingJob, BufferJob, DispatchJob, KernelJob, TextureJob, TextureView
from pixel_core.kernels.evaluate_tree import KeyedProblem
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.memory import POISONS, SCRATCH_POISONS, encode_uniform, poison
from pixel_core.kernels.planned import BindingPlan, BufferPlan, Case, DispatchPlan
from pixel_core.wgsl.reflect import ShaderInterface
from pixel_core.wgsl.texel_formats import storage_format


def build_jobs(source: str, interface: ShaderInterface, case: Case, contents: Mapping[str, bytes]) -> tuple[KernelJob, KernelJob]:
    """The two runs of a case. They differ in what fills the memory that nobody has written; all storage is read back after the first.

    Args:
        source: The shader.
        interface: For access modes and override ids.
        case: Its buffers and dispatches.
        contents: Bytes of every buffer that has content before the first pass.

    Raises:
        KeyedProblem: A parameter that its uniform cannot hold.
    """
    uniforms = _Uniforms()
    samplers = {_sampler_name(one): one.sampler for dispatch in case.dispatches for one in dispatch.bindings if one.sampler is not None}
    dispatches = tuple(_dispatch(dispatch, interface, case, uniforms) for dispatch in case.dispatches)
    first, second = (
        KernelJob(
            source=source,
            buffers={**_storage(case, contents, run), **uniforms.jobs},
            dispatches=dispatches,
            textures={one.name: _texture(one, contents, run) for one in case.buffers if one.texture is not None},
            samplers=samplers,
        )
        for run in (0, 1)
    )
    return first, second


def is_poisoned(role: str) -> bool:
    """Whether a buffer of this role holds nothing before the first pass."""
    return role in {"out", "scratch"}


def _storage(case: Case, contents: Mapping[str, bytes], run: int) -> dict[str, BufferJob]:
    return {
        buffer.name: BufferJob(
            initial=_filling(buffer, run) if is_poisoned(buffer.role) else _with_slack(buffer, contents[buffer.name], run),
            is_uniform=buffer.is_uniform,
            read_back=_is_read_back(buffer, run),
        )
        for buffer in case.buffers
        if buffer.texture is None
    }


def _texture(buffer: BufferPlan, contents: Mapping[str, bytes], run: int) -> TextureJob:
    plan = buffer.texture
    assert plan is not None
    depth, height, width = (1, 1, *plan.axes)[-3:]
    return TextureJob(
        format=plan.format.name,
        texel_bytes=plan.format.size_bytes,
        dimension=plan.dimension[:2],
        extent=(width, height, depth),
        has_layers=plan.dimension == "2d-array",
        levels=plan.levels,
        initial=_filling(buffer, run) if is_poisoned(buffer.role) else contents[buffer.name],
        read_back=_is_read_back(buffer, run),
    )


def _is_read_back(buffer: BufferPlan, run: int) -> bool:
    return buffer.role in {"out", "inout", "accumulate"} or (run == 0 and buffer.role != "scratch" and not buffer.is_uniform)


def _with_slack(buffer: BufferPlan, content: bytes, run: int) -> bytes:
    # The same object without slack: the device keeps what both runs share.
    return content + slack_filling(buffer, run) if buffer.slack_bytes else content


def slack_filling(buffer: BufferPlan, run: int) -> bytes:
    """What the slack of a buffer holds before the first pass of a run."""
    return _filling(buffer, run)[-buffer.slack_bytes :] if is_poisoned(buffer.role) else poison(buffer.slack_bytes, SCRATCH_POISONS[run])


def _filling(buffer: BufferPlan, run: int) -> bytes:
    return poison(buffer.size_bytes, (SCRATCH_POISONS if buffer.role == "scratch" else POISONS)[run])


class _Uniforms:
    """Uniform buffers of a case; dispatches with the same values share one."""

    def __init__(self) -> None:
        self.jobs: dict[str, BufferJob] = {}
        self._names: dict[bytes, str] = {}

    def name(self, binding: BindingPlan) -> str:
        content = _encoded(binding)
        if content not in self._names:
            # A space keeps it apart from every name in a shader.
            name = f"uniform {len(self._names)}"
            self._names[content] = name
            self.jobs[name] = BufferJob(initial=content, is_uniform=True)
        return self._names[content]


def _encoded(binding: BindingPlan) -> bytes:
    assert binding.uniform_type is not None
    assert binding.uniform_value is not None
    try:
        return encode_uniform(binding.uniform_type, binding.uniform_value)
    except ExpressionProblem as problem:
        raise KeyedProblem(problem, f"params.{binding.variable}") from None


def _dispatch(plan: DispatchPlan, interface: ShaderInterface, case: Case, uniforms: _Uniforms) -> DispatchJob:
    immediates = b"".join(_encoded(binding) for binding in plan.bindings if binding.group < 0)
    bindings = tuple(
        BindingJob(
            group=binding.group,
            binding=binding.binding,
            buffer=_resource_name(binding, uniforms),
            view=_view(binding, interface, case),
            writable=binding.buffer is not None and _is_writable(interface, binding.variable),
        )
        for binding in plan.bindings
        if binding.group >= 0
    )
    constants = {_constant_key(interface, name): float(value) for name, value in plan.overrides.items()}
    return DispatchJob(
        entry_point=plan.entry,
        constants=constants,
        workgroups=plan.workgroups,
        bindings=bindings,
        indirect=plan.indirect,
        immediates=immediates,
    )


def _resource_name(binding: BindingPlan, uniforms: _Uniforms) -> str:
    if binding.sampler is not None:
        return _sampler_name(binding)
    return binding.buffer if binding.buffer is not None else uniforms.name(binding)


def _sampler_name(binding: BindingPlan) -> str:
    # A space keeps it apart from every name of a texture or buffer.
    return f"sampler {binding.variable}"


def _view(binding: BindingPlan, interface: ShaderInterface, case: Case) -> TextureView | None:
    """How the shader sees a texture; None for other bindings."""
    texture = None if binding.buffer is None else case.buffer(binding.buffer).texture
    declared = interface.binding(binding.variable)
    if texture is None or declared is None:
        return None
    if storage_format(declared.type) is not None:
        return TextureView(dimension=texture.dimension, access=declared.access)
    floats = "float" if texture.format.is_filterable else "unfilterable-float"
    sample_type = {"u32": "uint", "i32": "sint"}.get(texture.format.scalar, floats)
    return TextureView(dimension=texture.dimension, access="sampled", sample_type=sample_type)


def _is_writable(interface: ShaderInterface, variable: str) -> bool:
    declared = interface.binding(variable)
    return declared is not None and declared.access != "read"


def _constant_key(interface: ShaderInterface, name: str) -> str:
    """WebGPU names an override that has an `@id` by that number, and only by it."""
    override = next((one for one in interface.overrides if one.name == name), None)
    return name if override is None or override.id is None else str(override.id)
