"""What a codec makes of the truth: the values that it can say, and how far apart they lie, so that only its rounding is forgiven.

The steps are those of the truth and never those that a kernel wrote: a kernel that chose steps of its own, ten times as wide, would bring
its own tolerance with it.
"""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec.structs import replace

from pixel_core.kernels.bounded import F16, ZERO, Bounded, Floats
from pixel_core.kernels.codecs import CODEC_TABLE, decode, encode, steps
from pixel_core.kernels.judgement import ROUNDING_LEVELS
from pixel_core.kernels.planned import BufferPlan

_ROUNDED_MODES = frozenset({"exact", "ulp"})


class Packing(msgspec.Struct, frozen=True, kw_only=True):
    """The truth of one output after its codec, in the output's shape.

    Attributes:
        nearest: What unpacking gives when the truth itself is packed.
        step: How far each of these lies from its neighbours; None where the codec does not say, because nothing is lost in it.
        scale_error: What the rounding of a block's scale adds to each; None for nothing.
    """

    nearest: Floats
    step: Floats | None
    scale_error: Floats | None = None

    def first(self, length: int) -> Packing:
        """The first entries of the first axis."""
        arrays = (None if one is None else one[:length] for one in (self.step, self.scale_error))
        return Packing(nearest=self.nearest[:length], step=next(arrays), scale_error=next(arrays))


def pack_truth(buffer: BufferPlan, truth: Bounded) -> Packing | None:
    """The truth after the codec of its buffer; None where it has none of ours, or one that rounds to no steps."""
    if buffer.codec is None or buffer.has_python_codec or CODEC_TABLE[buffer.codec].step_blocks is None:
        return None
    with np.errstate(all="ignore"):
        data = encode(buffer.codec, truth.value.astype(np.float32))
    nearest = decode(buffer.codec, data, truth.shape).astype(np.float64)
    step = steps(buffer.codec, data, truth.shape).astype(np.float64)
    scale_error = np.abs(nearest) * F16.ulp if CODEC_TABLE[buffer.codec].has_f16_scale else None
    return Packing(nearest=nearest, step=step, scale_error=scale_error)


def held_by_packing(truth: Bounded, packing: Packing, mode: str) -> Bounded:
    """The truth as its packed buffer is to hold it.

    Under `exact` and `ulp` that is what the codec makes of it. In the other modes it stays as it is, so that either of the two values
    around it may be right; but what lies outside of all that the codec can say is expected at its end.

    Args:
        truth: In f32, of the output's shape.
        packing: Of it.
        mode: How the output is compared.
    """
    if mode in _ROUNDED_MODES:
        return replace(truth, value=packing.nearest, bound=ZERO, spread=ZERO)
    if packing.step is None:
        return truth
    beyond = np.abs(packing.nearest - truth.value) > ROUNDING_LEVELS * packing.step
    bound = truth.bound if packing.scale_error is None else truth.bound + packing.scale_error
    if mode == "multiset":
        bound = bound + ROUNDING_LEVELS * packing.step
    spread = np.broadcast_to(truth.spread, bound.shape) if bound.ndim else truth.spread
    return replace(truth, value=np.where(beyond, packing.nearest, truth.value), bound=bound, spread=spread)
