"""The words behind a buffer that a kernel may read: looked at, and cut off before anything is judged."""

from __future__ import annotations

from msgspec.structs import replace

from pixel_core.engines.base import KernelRun
from pixel_core.kernels.build_jobs import slack_filling
from pixel_core.kernels.planned import Case
from pixel_core.kernels.results import Fault


def take_slack(case: Case, run: KernelRun, number: int) -> tuple[KernelRun, list[Fault]]:
    """A run without slack, and a fault for each buffer whose slack the kernel wrote.

    Args:
        case: Its buffers.
        run: As the engine returned it.
        number: 0 for the first run of the case, 1 for the second: they differ in what fills the slack.
    """
    contents = dict(run.buffers)
    faults: list[Fault] = []
    for buffer in case.buffers:
        if not buffer.slack_bytes or buffer.name not in contents:
            continue
        content = contents[buffer.name]
        contents[buffer.name] = content[: -buffer.slack_bytes]
        if content[-buffer.slack_bytes :] != slack_filling(buffer, number):
            message = f"the {buffer.slack_bytes} bytes of slack behind `{buffer.name}` may be read, and were written"
            faults.append(Fault(kind="guard_overwritten", subject=buffer.name, message=message))
    return replace(run, buffers=contents), faults
