"""The settings in force: defaults < the user's coach.toml < the workspace's `[coach]` < flags.

A workspace may be somebody else's: of its files only `WORKSPACE_KEYS` count, its limits only where they are smaller than the
user's, and its protected paths only add. Every mistake is one sentence with file and line; the key that holds it counts as absent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Union, cast, get_args, get_origin

import msgspec
import tomli
from msgspec.structs import replace

from pixel_coach.settings import LOCAL_SERVICES, REVIEW_SERVICES, AgentSettings, CoachSettings, Criterion
from pixel_coach.settings_file import WORKSPACE_KEYS, CoachFile, CriterionTable, GeneratorTable, LimitsTable, ReviewerTable
from pixel_coach.tasks import Limits
from pixel_core.kernels.toml_keys import KeyPlace, TomlPath, scan_keys
from pixel_core.kernels.workspace_files import resolve_inside
from pixel_core.source import SourceText

MAX_BYTES: Final = 256 * 1024
USER_FILE: Final = "coach.toml"
_WORKSPACE_FILES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("pixel.toml", ("coach",)),
    ("pyproject.toml", ("tool", "pixel-lsp", "coach")),
)
_TABLES: Final[Mapping[str, type[msgspec.Struct]]] = {"generator": GeneratorTable, "reviewer": ReviewerTable, "limits": LimitsTable}
_ABSOLUTE: Final = frozenset({"python", "prices", "program"})


class SettingsMistake(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the settings that does not count.

    Attributes:
        path: The file; None for a flag.
        line: From 1; 0 for the whole file.
        message: What is wrong, lower case, no full stop.
        hint: What to do about it; may be empty.
        is_error: A coach should not start with it. False for what a workspace may not say: that is passed over, and told.
    """

    path: Path | None
    line: int
    message: str
    hint: str = ""
    is_error: bool = True

    def sentence(self, folder: Path | None = None) -> str:
        """`pixel.toml:3: message`, the path relative to a folder where it lies in one."""
        if self.path is None:
            return self.message
        path = self.path.relative_to(folder) if folder is not None and self.path.is_relative_to(folder) else self.path
        return f"{path}:{self.line}: {self.message}" if self.line else f"{path}: {self.message}"


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """What flags say; None where they are silent. They are the user's own words and may raise a limit.

    Attributes:
        generator: `SERVICE` or `SERVICE=MODEL`.
        reviewer: Likewise.
        is_review_wanted: False is the mode `local only`.
        candidates: Texts for each round.
        rounds: Limit of one task.
        dollars: Limit of one task.
        engine: As `pixel-lsp check --engine`.
        python: Interpreter for references and tests.
    """

    generator: str | None = None
    reviewer: str | None = None
    is_review_wanted: bool | None = None
    candidates: int | None = None
    rounds: int | None = None
    dollars: float | None = None
    engine: str | None = None
    python: Path | None = None


_NO_OVERRIDES: Final = Overrides()


def config_folder(environment: Mapping[str, str]) -> Path:
    """Where a user's own configuration lies: `$XDG_CONFIG_HOME/pixel-lsp`, `~/.config/pixel-lsp`, in `%APPDATA%` on Windows."""
    base = environment.get("XDG_CONFIG_HOME", "")
    # The specification says that a relative path is to be ignored.
    if os.path.isabs(base):  # noqa: PTH117 - a Path of an empty text is the current folder
        return Path(base) / "pixel-lsp"
    if sys.platform == "win32":
        return Path(environment.get("APPDATA") or Path.home()) / "pixel-lsp"
    return Path.home() / ".config" / "pixel-lsp"


def read_settings(
    workspace: Path | None, environment: Mapping[str, str], overrides: Overrides = _NO_OVERRIDES
) -> tuple[CoachSettings, tuple[SettingsMistake, ...]]:
    """Read every file that has a say.

    Args:
        workspace: Root of the workspace; None for the user's settings alone.
        environment: Variables, for the place of the user's file.
        overrides: What flags say.

    Returns:
        The settings, and what does not count in them.
    """
    settings, mistakes = _read_user_file(config_folder(environment) / USER_FILE, CoachSettings())
    if workspace is not None:
        settings, more = _read_workspace(workspace, settings)
        mistakes += more
    settings, more = _override(settings, overrides)
    return settings, (*mistakes, *more)


class _Reading(msgspec.Struct):
    """One table of settings in one file, and the mistakes found in it."""

    path: Path
    source: SourceText
    places: Mapping[TomlPath, KeyPlace]
    prefix: tuple[str, ...]
    mistakes: list[SettingsMistake] = msgspec.field(default_factory=list)

    def tell(self, key: TomlPath, message: str, hint: str = "", *, is_error: bool = True) -> None:
        whole: TomlPath = (*self.prefix, *key)
        # An inline table deeper than the scan goes has no place of its own; its parent's will do.
        while whole and whole not in self.places:
            whole = whole[:-1]
        line = self.source.position(self.places[whole].key.start)[0] if whole else 0
        self.mistakes.append(SettingsMistake(path=self.path, line=line, message=message, hint=hint, is_error=is_error))

    def in_order(self) -> list[SettingsMistake]:
        return sorted(self.mistakes, key=lambda mistake: mistake.line)


def _read_user_file(path: Path, defaults: CoachSettings) -> tuple[CoachSettings, list[SettingsMistake]]:
    text = _read_text(path)
    if text is None or isinstance(text, SettingsMistake):
        return defaults, [] if text is None else [text]
    document = _parse(path, text)
    if isinstance(document, SettingsMistake):
        return defaults, [document]
    reading = _Reading(path, SourceText(path, text), scan_keys(text), ())
    given = _read_table(document, CoachFile, (), reading)
    return _apply_user(defaults, given, path.parent), reading.in_order()


def _read_workspace(workspace: Path, settings: CoachSettings) -> tuple[CoachSettings, list[SettingsMistake]]:
    mistakes: list[SettingsMistake] = []
    first: Path | None = None
    for name, prefix in _WORKSPACE_FILES:
        path = workspace / name
        text = _read_text(path, inside=workspace)
        if text is None or isinstance(text, SettingsMistake):
            mistakes += [] if text is None else [text]
            continue
        document = _parse(path, text)
        if isinstance(document, SettingsMistake):
            mistakes.append(document)
            continue
        table: Any = document
        for part in prefix:
            table = table.get(part) if isinstance(table, Mapping) else None
        if table is None:
            continue
        reading = _Reading(path, SourceText(path, text), scan_keys(text), prefix)
        if first is not None:
            reading.tell((), f"`[{'.'.join(prefix)}]` does not count, since {first.name} holds settings of the coach too", is_error=False)
        elif not isinstance(table, Mapping):
            reading.tell((), f"`{'.'.join(prefix)}` must be a table of settings")
        else:
            first = path
            settings = _apply_workspace(settings, _read_table(_allowed(table, reading), CoachFile, (), reading), workspace, reading)
        mistakes += reading.in_order()
    return settings, mistakes


def _allowed(table: Mapping[str, Any], reading: _Reading) -> dict[str, Any]:
    """The keys that a workspace may set; each of the others is told."""
    for key in table:
        if key in CoachFile.__struct_fields__ and key not in WORKSPACE_KEYS:
            hint = f"put it into your own {USER_FILE}, or say it by a flag"
            reading.tell((key,), f"`{key}` does not count here: a workspace cannot set it", hint, is_error=False)
    return {key: value for key, value in table.items() if key in WORKSPACE_KEYS or key not in CoachFile.__struct_fields__}


def _read_text(path: Path, *, inside: Path | None = None) -> str | SettingsMistake | None:
    def mistake(message: str) -> SettingsMistake:
        return SettingsMistake(path=path, line=0, message=message)

    try:
        # A pipe or a device of that name would be waited for.
        if not path.is_file():
            return None
        if inside is not None and resolve_inside(inside, path) is None:
            return mistake("it is a link that leads out of the workspace")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as problem:
        return mistake(f"it cannot be read: {problem.strerror}")
    if len(data) > MAX_BYTES:
        return mistake(f"it is longer than {MAX_BYTES // 1024} KiB")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return mistake("it is not UTF-8 text")


def _parse(path: Path, text: str) -> dict[str, Any] | SettingsMistake:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as problem:
        message = f"it is not TOML: {problem.msg[:1].lower()}{problem.msg[1:]}"
        return SettingsMistake(path=path, line=min(problem.lineno, text.count("\n") + 1), message=message)
    except (RecursionError, ValueError):
        return SettingsMistake(path=path, line=0, message="it cannot be read: something in it is nested too deeply or too long")


def _read_table(given: Mapping[str, Any], shape: type[msgspec.Struct], at: TomlPath, reading: _Reading) -> dict[str, Any]:
    """The values of a table that are as they should be."""
    known = {each.name: each for each in msgspec.structs.fields(shape)}
    read: dict[str, Any] = {}
    for key, value in given.items():
        name = _name((*at, key))
        if key not in known:
            near = get_close_matches(key, known, n=1)
            reading.tell((*at, key), f"there is no setting `{name}`", f"did you mean `{near[0]}`?" if near else _there_are(known))
        elif key in _TABLES and not at:
            if isinstance(value, Mapping):
                read[key] = _read_table(value, _TABLES[key], (key,), reading)
            else:
                reading.tell((key,), f"`{key}` must be a table of settings")
        elif key == "criteria" and isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            read[key] = _read_criteria(value, reading)
        else:
            problem = _problem(value, known[key].type, key)
            if problem is None:
                read[key] = value
            else:
                reading.tell((*at, key), f"`{name}` {problem}")
    for missing in [each.name for each in known.values() if each.required and each.name not in given]:
        reading.tell(at, f"`{_name((*at, missing))}` is missing")
        return {}
    return read


def _read_criteria(given: Sequence[Mapping[str, Any]], reading: _Reading) -> list[dict[str, Any]]:
    limit = 20
    if len(given) > limit:
        reading.tell(("criteria",), f"`criteria` must be 1 to {limit} tables `[[criteria]]`")
        return []
    before = len(reading.mistakes)
    read = [_read_table(one, CriterionTable, ("criteria", index), reading) for index, one in enumerate(given)]
    ids: set[str] = set()
    for index, one in enumerate(read):
        if one.get("id") in ids:
            reading.tell(("criteria", index), f"two criteria are called `{one['id']}`")
        ids.add(one.get("id", ""))
    # Half of the criteria would give scores that nobody asked for.
    return read if len(reading.mistakes) == before else []


def _problem(value: object, shape: Any, key: str) -> str | None:
    """What is wrong with a value, `must be …`; None when nothing is."""
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError:
        return f"must be {_title(shape)}"
    if key == "protected":
        return next((f"holds `{glob}`, which is no glob" for glob in cast("list[str]", value) if not _is_glob(glob)), None)
    if key in _ABSOLUTE and not os.path.isabs(os.path.expanduser(str(value))):  # noqa: PTH111, PTH117 - what was written is asked
        return "must be an absolute path: a relative one would be looked for in whatever folder is open"
    return None


def _is_glob(glob: str) -> bool:
    # Needed by few files, and slow to import.
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([glob])
    except ValueError:
        return False
    # A `!` would take protection away, from globs of the user's too.
    return not glob.startswith(("!", "#"))


def _title(shape: Any) -> str:
    if get_origin(shape) is Union:
        return _title(get_args(shape)[0])
    return next((part.title for part in get_args(shape) if isinstance(part, msgspec.Meta) and part.title), "of another type")


def _name(path: TomlPath) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _there_are(names: Mapping[str, object]) -> str:
    return f"there are {', '.join(f'`{name}`' for name in names)}"


def _apply_user(settings: CoachSettings, given: Mapping[str, Any], folder: Path) -> CoachSettings:
    plain = {key: given[key] for key in ("candidates", "temperature", "dollars_per_day", "requests_per_day", "engine") if key in given}
    settings = replace(settings, **plain, **{key: _path(given[key]) for key in ("python", "prices") if key in given})
    return replace(
        settings,
        generator=_agent(given.get("generator")) or settings.generator,
        reviewer=_agent(given.get("reviewer")) or settings.reviewer,
        is_review_wanted=given.get("review", settings.is_review_wanted),
        limits=replace(settings.limits, **given.get("limits", {})),
        protected=(*settings.protected, *given.get("protected", ())),
        criteria=_criteria(given.get("criteria")) or settings.criteria,
        playbooks=(*settings.playbooks, *(folder / _path(one) for one in given.get("playbooks", ()))),
    )


def _apply_workspace(settings: CoachSettings, given: Mapping[str, Any], workspace: Path, reading: _Reading) -> CoachSettings:
    limits: dict[str, Any] = given.get("limits", {})
    for key, value in limits.items():
        own = getattr(settings.limits, key)
        if value > own:
            reading.tell(
                ("limits", key), f"`limits.{key}` does not count: a workspace can only lower your own limit of {own:g}", is_error=False
            )
    playbooks: list[Path] = []
    for index, name in enumerate(given.get("playbooks", ())):
        inside = resolve_inside(workspace, workspace / name)
        if inside is None:
            reading.tell(("playbooks", index), f"the playbook `{name}` lies outside of the workspace")
        else:
            playbooks.append(inside)
    return replace(
        settings,
        candidates=given.get("candidates", settings.candidates),
        limits=Limits(**{name: min(getattr(settings.limits, name), limits.get(name, _NO_LIMIT)) for name in Limits.__struct_fields__}),
        protected=(*settings.protected, *given.get("protected", ())),
        criteria=_criteria(given.get("criteria")) or settings.criteria,
        playbooks=(*settings.playbooks, *playbooks),
    )


_NO_LIMIT: Final = float("inf")


def _agent(given: Mapping[str, Any] | None) -> AgentSettings | None:
    if not given:
        return None
    values = dict(given)
    if "program" in values:
        values["program"] = _path(values["program"])
    return AgentSettings(**values)


def _criteria(given: Sequence[Mapping[str, Any]] | None) -> tuple[Criterion, ...]:
    return tuple(Criterion(**one) for one in given or ())


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _override(settings: CoachSettings, overrides: Overrides) -> tuple[CoachSettings, list[SettingsMistake]]:
    mistakes: list[SettingsMistake] = []
    plain = {
        name: value for name in ("is_review_wanted", "candidates", "engine", "python") if (value := getattr(overrides, name)) is not None
    }
    limits = {name: value for name in ("rounds", "dollars") if (value := getattr(overrides, name)) is not None}
    settings = replace(settings, **plain, limits=replace(settings.limits, **limits))
    for role, services in (("generator", LOCAL_SERVICES), ("reviewer", REVIEW_SERVICES)):
        said: str | None = getattr(overrides, role)
        if said is None:
            continue
        service, _, model = said.partition("=")
        if service not in services:
            mistakes.append(
                SettingsMistake(path=None, line=0, message=f"there is no {role} `{service}`", hint=f"there are {', '.join(services)}")
            )
            continue
        current: AgentSettings | None = getattr(settings, role)
        # What the file says of a service holds for that service alone.
        chosen = current if current is not None and current.service == service else AgentSettings(service=service)
        settings = replace(settings, **{role: replace(chosen, model=model or chosen.model)})
    return settings, mistakes
