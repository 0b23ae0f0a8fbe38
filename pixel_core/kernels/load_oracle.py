"""The shader that a contract names as its oracle: found inside the workspace, read, and understood. Runs nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pixel_core.findings import Finding, Severity
from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.contract import KernelContract, Oracle
from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.plan_problem import at_key
from pixel_core.kernels.workspace_files import project_root, resolve_inside


class OracleKernel(msgspec.Struct, frozen=True, kw_only=True):
    """An oracle that could be read.

    Attributes:
        oracle: As the contract names it.
        loaded: Its shader, understood.
        contract: Its own contract; None where it has none, or where the naming contract says how it is started.
    """

    oracle: Oracle
    loaded: LoadedShader
    contract: KernelContract | None


def load_oracle(contract: KernelContract, loaded: LoadedShader, workspace: Path | None = None) -> OracleKernel | Finding:
    """Read the oracle of a contract.

    Args:
        contract: Has an `oracle`.
        loaded: The shader that the contract speaks of; an oracle may stand in the same file.
        workspace: Folder that the oracle's file must lie inside; None is the contract's own project root.

    Returns:
        The oracle; or a finding on the contract's `oracle`: not inside the workspace, not to be read, no such kernel.
    """
    oracle = contract.oracle
    assert oracle is not None
    folder = contract.source.path.parent
    path = resolve_inside(workspace or project_root(folder), folder / oracle.file)
    if path is None:
        message = f"the oracle `{oracle.file}` lies outside the workspace"
        return at_key(contract, "PX707", "oracle", message, "move the file into the workspace")
    if path == loaded.source.path.resolve():
        return choose_kernel(contract, oracle, loaded)
    read = load_shader(path)
    if isinstance(read, Finding):
        return at_key(contract, "PX710", "oracle", f"the oracle cannot be used: {read.message}", read.hint)
    return choose_kernel(contract, oracle, read)


def choose_kernel(contract: KernelContract, oracle: Oracle, shader: LoadedShader) -> OracleKernel | Finding:
    """The kernel of a shader that an oracle means: a contract of that name, or one that runs that entry point, or the entry point alone."""
    for findings, what in ((shader.findings, "the oracle does not compile"), (shader.contracts.findings, "the oracle's contract is wrong")):
        error = next((finding for finding in findings if finding.severity is Severity.ERROR), None)
        if error is not None:
            return at_key(contract, "PX710", "oracle", f"{what}: {error.message} ({_place(error, shader)})", error.hint)
    contracts = shader.contracts.contracts
    own = next((one for one in contracts if one.name == oracle.kernel), None)
    own = own or next((one for one in contracts if oracle.kernel in {step.entry for step in one.passes}), None)
    entry = shader.interface.entry_point(oracle.kernel)
    if own is None and (entry is None or entry.stage != "compute"):
        names = dict.fromkeys(
            [*(one.name for one in contracts), *(one.name for one in shader.interface.entry_points if one.stage == "compute")]
        )
        close = closest_name(oracle.kernel, names)
        hint = f"did you mean `{oracle.file}:{close}`?" if close else f"it has {', '.join(f'`{name}`' for name in names) or 'none'}"
        return at_key(contract, "PX710", "oracle", f"`{oracle.file}` has no kernel `{oracle.kernel}`", hint)
    entries = {oracle.kernel} if own is None else {step.entry for step in own.passes}
    if shader.source.path.resolve() == _shader_of(contract) and entries & {step.entry for step in contract.passes}:
        message = f"`{contract.name}` cannot be its own oracle"
        return at_key(contract, "PX710", "oracle", message, "name another kernel, one that is simple enough to trust")
    is_told = bool(oracle.dispatch or oracle.params or oracle.overrides)
    return OracleKernel(oracle=oracle, loaded=shader, contract=None if is_told else own)


def _place(finding: Finding, shader: LoadedShader) -> str:
    source = shader.sidecar if shader.sidecar is not None and finding.location.path == shader.sidecar.path else shader.source
    line = source.position(finding.location.span.start)[0] if finding.location.span else 1
    return f"{finding.location.path.name}:{line}"


def _shader_of(contract: KernelContract) -> Path:
    """The shader that a contract speaks of: the file it stands in, or the one beside its sidecar."""
    path = contract.source.path
    name = path.name.removesuffix(".contract.toml")
    return (path if name == path.name else path.with_name(f"{name}.wgsl")).resolve()
