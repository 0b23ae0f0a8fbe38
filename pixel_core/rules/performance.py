"""Rules about speed (PX6xx)."""

from __future__ import annotations

from pixel_core.findings import Severity
from pixel_core.rules.rule import Rule

PERFORMANCE_RULES: tuple[Rule, ...] = (
    Rule(
        code="PX601",
        name="slower-than-baseline",
        severity=Severity.ERROR,
        summary="A kernel reaches less of the adapter's roofline than the saved baseline says it did.",
        explanation=(
            "`pixel-lsp bench --baseline FILE` compares each kernel with what an earlier `--save-baseline FILE` measured for the same file, contract "
            "and case on the same adapter, driver and clock. Not seconds are compared but shares of the roofline: in every round the kernel is "
            "timed in turn with two kernels that only compute and only copy, so a slow moment of the machine falls on all of them.\n\n"
            "Two things must hold together. The quartiles are apart: three quarters of the rounds reach less than three quarters of the "
            "baseline's rounds did, so the noise of either measurement does not explain it. And the medians differ by more than the threshold, "
            "10 % unless `--threshold` says otherwise. What is slower by both is measured once more, and told only if it is slower again. Where the contract's `flops`, the sizes of the buffers or the roofline's own "
            "kernels have changed, nothing is compared, and the table says so."
        ),
        example=(
            "error[PX601]: `matmul` is 1.38 times slower than the baseline (case M=512 N=512 K=512, llvmpipe (LLVM 15.0.6, 256 bits))\n"
            "   = 7.1 % of the roofline (quartiles 6.9 to 7.3), and 9.8 % then (9.6 to 10.1)"
        ),
        remedy=(
            "Look at what changed in the shader since the baseline was saved; the finding says whether its text did. If the slower kernel is meant, "
            "save a new baseline: `pixel-lsp bench FILES --save-baseline FILE`."
        ),
    ),
)
