"""From the dispatches of a program to shaders whose contracts have just its cases, so that a `Checker` can hold each to its promise.

A dispatch is fitted to the contracts of its own file: one that runs the same entry point, and whose macros are those of the dispatch. The
contract's text stays as it is but for `prepare`, which gets the dispatch's own macros, and `cases`. A wrong choice could not make a wrong
kernel pass: the truth is the contract's, and what runs is what the program runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import tomli
from msgspec.structs import replace

from pixel_core.dialects.steps import Preprocess
from pixel_core.findings import Finding, Severity
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.contract_text import contract_text, without_contract
from pixel_core.kernels.expressions import Expression, ExpressionProblem
from pixel_core.kernels.fit_case import FittedCase, fit_case
from pixel_core.kernels.load_shader import LoadedShader, sidecar_path, understand
from pixel_core.kernels.observed_dispatch import ObservedDispatch
from pixel_core.kernels.plan import Case, plan_cases
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.kernels.read_text import read_text
from pixel_core.kernels.symbols import evaluate_symbol
from pixel_core.kernels.toml_text import toml_text
from pixel_core.source import SourceText

_CASES_OF_A_TEXT: Final = 100
_BUDGET: Final = {"seconds": 300, "bytes": 1 << 30, "invocations": 1 << 28}
"""Real sizes are larger than those that somebody would list, and a busy machine is no reason to doubt a kernel."""

_ROUNDED_UP: Final = 16
"""Buffers of a program have whole texels."""


class Unfitted(msgspec.Struct, frozen=True, kw_only=True):
    """A dispatch that no case stands for, and why."""

    dispatch: ObservedDispatch
    reason: str


class FittedDispatches(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the dispatches.

    Attributes:
        shaders: For `Checker.check_loaded`: one for each contract and set of macros, cases as the program needs them.
        unfitted: The rest.
        dispatches: How many different ones there were.
    """

    shaders: tuple[LoadedShader, ...]
    unfitted: tuple[Unfitted, ...]
    dispatches: int


def fit_dispatches(observed: Sequence[ObservedDispatch]) -> FittedDispatches:
    """Fit every dispatch to a contract of its file.

    Args:
        observed: Different ones, as `ObservedDispatch.followers` numbers them.
    """
    fitting = _Fitting(observed)
    for number in range(len(observed)):
        fitting.add(number)
    return FittedDispatches(shaders=tuple(fitting.shaders()), unfitted=tuple(fitting.unfitted), dispatches=len(observed))


class _File(msgspec.Struct, frozen=True):
    """A shader's text without its contracts, and its contracts as data and as TOML."""

    source: SourceText
    bare: SourceText
    contracts: Mapping[str, KernelContract]
    tables: Mapping[str, Any]


class _Variant(msgspec.Struct):
    """A contract under one set of macros, and the cases that were found for it."""

    file: _File
    name: str
    macros: Mapping[str, str]
    loaded: LoadedShader
    cases: dict[str, FittedCase] = msgspec.field(default_factory=dict[str, FittedCase])

    @property
    def contract(self) -> KernelContract | None:
        return next(iter(self.loaded.contracts.contracts), None)

    @property
    def sized_macros(self) -> dict[str, Expression]:
        return {name: expression for (_, name), expression in self.file.contracts[self.name].macros.items()}


class _Fitting:
    def __init__(self, observed: Sequence[ObservedDispatch]) -> None:
        self.unfitted: list[Unfitted] = []
        self._observed = observed
        self._before: dict[int, list[int]] = {}
        for number, one in enumerate(observed):
            for follower in one.followers:
                self._before.setdefault(follower, []).append(number)
        self._files: dict[str, _File | str] = {}
        self._variants: dict[tuple[object, ...], _Variant] = {}

    def add(self, number: int) -> None:
        dispatch = self._observed[number]
        file = self._file(dispatch.shader)
        if isinstance(file, str):
            self.unfitted.append(Unfitted(dispatch=dispatch, reason=file))
            return
        reasons: list[str] = []
        for name in _candidates(file, dispatch):
            variant = self._variant(file, name, dispatch.macros)
            problem = self._fit(variant, number)
            if not problem:
                return
            reasons.append(f"{name}: {problem}")
        reason = "; ".join(reasons) or f"no contract runs `{dispatch.entry}` with these macros"
        self.unfitted.append(Unfitted(dispatch=dispatch, reason=reason))

    def shaders(self) -> Iterator[LoadedShader]:
        for variant in self._variants.values():
            cases = list(variant.cases.values())
            for start in range(0, len(cases), _CASES_OF_A_TEXT):
                yield _understood(variant.file, variant.name, variant.macros, cases[start : start + _CASES_OF_A_TEXT])

    def _fit(self, variant: _Variant, number: int) -> str:
        contract = variant.contract
        if contract is None or not variant.loaded.compiles:
            findings = (*variant.loaded.contracts.findings, *variant.loaded.findings)
            return next((one.message for one in findings if one.severity is Severity.ERROR), "it cannot be read")
        window = self._window(number, [step.entry for step in contract.passes])
        if window is None:
            return "its other passes do not run beside this one"
        cases: dict[str, FittedCase] = {}
        for turn in (0, -1):
            case = fit_case(contract, variant.loaded.interface, variant.sized_macros, window, turn)
            if isinstance(case, str):
                return case
            if case.name not in variant.cases:
                problem = _mismatch(variant, case, window)
                if problem:
                    return problem
            cases[case.name] = case
        variant.cases.update(cases)
        return ""

    def _window(self, number: int, entries: Sequence[str]) -> list[ObservedDispatch] | None:
        """Dispatches that ran one after the other, this one among them, with the entry points of a contract's passes."""
        place = entries.index(self._observed[number].entry)
        chain = [number]
        for entry in reversed(entries[:place]):
            chain.insert(0, self._next(chain[0], self._before.get(chain[0], ()), entry))
        for entry in entries[place + 1 :]:
            chain.append(self._next(chain[-1], () if chain[-1] < 0 else self._observed[chain[-1]].followers, entry))
        return None if -1 in chain else [self._observed[one] for one in chain]

    def _next(self, number: int, others: Sequence[int], entry: str) -> int:
        own = self._observed[number]
        like = (one for one in others if self._observed[one].shader == own.shader and self._observed[one].macros == own.macros)
        return -1 if number < 0 else next((one for one in like if self._observed[one].entry == entry), -1)

    def _file(self, shader: str) -> _File | str:
        if shader not in self._files:
            self._files[shader] = _read(Path(shader))
        return self._files[shader]

    def _variant(self, file: _File, name: str, macros: Mapping[str, str]) -> _Variant:
        key = (file.source.path, name, tuple(sorted(macros.items())))
        if key not in self._variants:
            self._variants[key] = _Variant(file, name, macros, _understood(file, name, macros, None))
        return self._variants[key]


def _read(path: Path) -> _File | str:
    source = read_text(path)
    if isinstance(source, Finding):
        return source.message
    text = contract_text(source)
    if text is None:
        return f"{path.name} has no contract"
    # Not of a sidecar: those stand beside shaders that are not ours to run.
    contracts = {one.name: one for one in read_contracts(source, None, None).contracts}
    return _File(source, without_contract(source), contracts, tomli.loads(text) if contracts else {})


def _candidates(file: _File, dispatch: ObservedDispatch) -> list[str]:
    """Contracts that run an entry point and say nothing else of macros and overrides than the dispatch, those that say most first.

    One that has a macro which the dispatch has not comes last: it may still say where in memory something lies, and what it computes.
    """
    found: list[tuple[int, int, str]] = []
    for name, contract in file.contracts.items():
        fixed = _fixed_macros(contract)
        if (
            dispatch.entry in {step.entry for step in contract.passes}
            and all(dispatch.macros.get(macro, text).rstrip("u") == text.rstrip("u") for macro, text in fixed.items())
            and all(_is_constant(expression, dispatch.constants.get(one)) for one, expression in contract.overrides.items())
        ):
            absent = len(fixed.keys() - dispatch.macros.keys())
            found.append((absent, -len(fixed) - len(contract.overrides), name))
    return [name for *_, name in sorted(found, key=lambda one: one[:2])]


def _is_constant(expression: Expression, value: float | None) -> bool:
    """Whether an override of a contract has just that value."""
    try:
        return value is None or evaluate_symbol(expression, {}) == value
    except ExpressionProblem:
        return False


def _fixed_macros(contract: KernelContract) -> dict[str, str]:
    steps = contract.prepare.steps if contract.prepare is not None else ()
    sized = {name for _, name in contract.macros}
    return {
        name: written.text for step in steps if isinstance(step, Preprocess) for name, written in step.macros.items() if name not in sized
    }


def _understood(file: _File, name: str, macros: Mapping[str, str], cases: Sequence[FittedCase] | None) -> LoadedShader:
    """The shader with one contract, and with these cases in place of its own; None leaves it one that fits anything."""
    table = dict(file.tables[name])
    table.setdefault("entry", name) if "passes" not in table else None
    if "prepare" in table:
        table["prepare"] = [{"define": {key: int(text) if text.isdecimal() else text for key, text in macros.items()}}]
    table["derive"] = False
    table["budget"] = _BUDGET
    first = table["cases"][0] if table.get("cases") else {}
    template = dict(first) if isinstance(first, dict) else {}
    if cases is not None:
        table["cases"] = [_case(template, case) for case in cases]
    path = sidecar_path(file.source.path)
    return understand(file.bare, SourceText(path, toml_text({name: table})))


def _case(template: Mapping[str, Any], case: FittedCase) -> dict[str, Any]:
    made: dict[str, Any] = {**template, "name": case.name, "dims": dict(case.dims)}
    if case.overrides:
        made["overrides"] = dict(case.overrides)
    if case.params:
        made["params"] = case.params
    return made


def _mismatch(variant: _Variant, fitted: FittedCase, window: Sequence[ObservedDispatch]) -> str:
    """Why a case cannot be planned, or needs more than the program binds; empty where it is the same."""
    contract = variant.contract
    assert contract is not None
    only = replace(contract, cases=(fitted.as_contract(contract),))
    plan = plan_cases(only, variant.loaded.module, variant.loaded.interface)
    if not plan.cases:
        return next((one.message for one in plan.findings if one.severity is Severity.ERROR), "it has no such case")
    return next(_too_large(plan.cases[0], window), "")


def _too_large(case: Case, window: Sequence[ObservedDispatch]) -> Iterator[str]:
    for plan, dispatch in zip(case.dispatches, window, strict=True):
        if plan.workgroups != dispatch.workgroups:
            yield f"the contract dispatches {plan.workgroups}, the program {dispatch.workgroups}"
        for binding in plan.bindings:
            bound = dispatch.bindings.get(binding.variable)
            if bound is None:
                yield f"the program binds nothing to `{binding.variable}`"
            elif binding.buffer is not None and bound.extent is None:
                needed = case.buffer(binding.buffer).size_bytes
                if needed > -(-bound.size // _ROUNDED_UP) * _ROUNDED_UP:
                    yield f"`{binding.variable}` takes {needed:,} bytes in the contract, and the program binds {bound.size:,}"
