"""One text per rule, for the docs, the terminal (`pixel-lsp rule PX401`) and the editor's hover.

Codes are stable: PX1xx language, PX2xx compilers, PX3xx contract, PX4xx results, PX5xx sanitizer, PX6xx performance,
PX7xx execution, PX8xx coach review, PX9xx environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pixel_core.rules.coach import REVIEW_RULES
from pixel_core.rules.contract import CONTRACT_RULES
from pixel_core.rules.dialects import DIALECT_RULES
from pixel_core.rules.execution import ENVIRONMENT_RULES, EXECUTION_RULES
from pixel_core.rules.language import LANGUAGE_RULES
from pixel_core.rules.performance import PERFORMANCE_RULES
from pixel_core.rules.results import COMPILER_RULES, PROOF_RULES, RESULT_RULES
from pixel_core.rules.rule import Rule
from pixel_core.rules.syntax import SYNTAX_RULES

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.code: rule
        for rule in (
            *SYNTAX_RULES,
            *LANGUAGE_RULES,
            *COMPILER_RULES,
            *CONTRACT_RULES,
            *DIALECT_RULES,
            *PROOF_RULES,
            *RESULT_RULES,
            *PERFORMANCE_RULES,
            *EXECUTION_RULES,
            *REVIEW_RULES,
            *ENVIRONMENT_RULES,
        )
    }
)
"""Every rule by its code, in the order of the codes."""

__all__ = ["RULES", "Rule"]
