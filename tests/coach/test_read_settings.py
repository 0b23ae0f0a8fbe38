"""Which setting wins, what a workspace may say, and what is told of a mistake. Files are written small and read whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from textwrap import dedent

import jsonschema
import pytest
import tomli
from msgspec.structs import fields, replace

from pixel_coach.read_settings import Overrides, config_folder, read_settings
from pixel_coach.settings import CRITERIA, LOCAL_SERVICES, REVIEW_SERVICES, AgentSettings, CoachSettings, Criterion
from pixel_coach.settings_file import WORKSPACE_KEYS, CoachFile, CriterionTable, GeneratorTable, LimitsTable, ReviewerTable, coach_schema
from pixel_coach.tasks import Limits

REPOSITORY = Path(__file__).parents[2]
SCHEMA = json.loads((REPOSITORY / "docs" / "coach.schema.json").read_text(encoding="utf-8"))
EXAMPLE = REPOSITORY / "docs" / "coach.example.toml"


class Files:
    """A user's configuration folder and a workspace."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self.environment = {"XDG_CONFIG_HOME": str(folder / "config")}
        self.folder = config_folder(self.environment)
        self.folder.mkdir(parents=True)

    def write(self, user: str = "", **workspace: str) -> None:
        (self.folder / "coach.toml").write_text(dedent(user), encoding="utf-8")
        for name, text in workspace.items():
            (self.workspace / f"{name}.toml").write_text(dedent(text), encoding="utf-8")

    def read(self, overrides: Overrides | None = None) -> tuple[CoachSettings, list[str]]:
        settings, mistakes = read_settings(self.workspace, self.environment, overrides or Overrides())
        said = [
            f"{'error' if mistake.is_error else 'note'}: {mistake.sentence(mistake.path.parent if mistake.path else None)}"
            + (f" | {mistake.hint}" if mistake.hint else "")
            for mistake in mistakes
        ]
        return settings, said


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def check(files: Files, expected: CoachSettings, overrides: Overrides | None = None) -> None:
    assert files.read(overrides) == (expected, [])


def check_mistakes(files: Files, user: str = "", *expected: str, **workspace: str) -> CoachSettings:
    files.write(user, **workspace)
    settings, said = files.read()
    assert said == list(expected)
    return settings


def test_without_files_the_defaults_hold(files: Files) -> None:
    check(files, CoachSettings())


def test_the_users_file_sets_everything(files: Files) -> None:
    files.write(EXAMPLE.read_text(encoding="utf-8"))
    expected = CoachSettings(
        generator=AgentSettings(
            service="ollama", url="http://127.0.0.1:11434", model="qwen2.5-coder:7b", context_tokens=16384, timeout_s=600
        ),
        reviewer=AgentSettings(service="gemini", model="gemini-2.5-flash", key_variable="GEMINI_API_KEY"),
        candidates=2,
        limits=Limits(dollars=0.02, requests=10),
        dollars_per_day=0.5,
        requests_per_day=100,
        protected=("third_party/**", "*.lock"),
        playbooks=(files.folder / "playbooks" / "kernels.toml",),
        criteria=(
            Criterion(id="numerics", question="Is it exact where it must be, and are overflow and cancellation dealt with?", weight=2),
            CRITERIA[-1],
        ),
    )
    check(files, expected)


@pytest.mark.parametrize(("name", "header"), [("pixel", "coach"), ("pyproject", "tool.pixel-lsp.coach")])
def test_a_workspace_adds_and_lowers(files: Files, name: str, header: str) -> None:
    user = """
        candidates = 8
        protected = ["a/**"]
        [limits]
        rounds = 5
        seconds = 60
    """
    text = f"""
        [{header}]
        candidates = 4
        protected = ["b/**"]
        playbooks = ["plays/mine.toml"]
        [{header}.limits]
        rounds = 2
        dollars = 0.01
        [[{header}.criteria]]
        id = "short"
        question = "Is it short?"
    """
    files.write(user, **{name: text})
    expected = CoachSettings(
        candidates=4,
        protected=("a/**", "b/**"),
        limits=Limits(rounds=2, seconds=60, dollars=0.01),
        criteria=(Criterion(id="short", question="Is it short?"),),
        playbooks=(files.workspace.resolve() / "plays" / "mine.toml",),
    )
    check(files, expected)


def test_what_a_workspace_may_not_say_is_told_and_does_not_count(files: Files) -> None:
    settings = check_mistakes(
        files,
        "[generator]\nservice = 'ollama'\n",
        *(
            f"note: pixel.toml:{line}: `{key}` does not count here: a workspace cannot set it | "
            "put it into your own coach.toml, or say it by a flag"
            for line, key in enumerate(("review", "dollars_per_day", "requests_per_day", "python", "prices", "engine", "temperature"), 2)
        ),
        "note: pixel.toml:9: `generator` does not count here: a workspace cannot set it | "
        "put it into your own coach.toml, or say it by a flag",
        "note: pixel.toml:12: `reviewer` does not count here: a workspace cannot set it | "
        "put it into your own coach.toml, or say it by a flag",
        pixel="""\
            [coach]
            review = false
            dollars_per_day = 1000
            requests_per_day = 1000
            python = "/tmp/evil"
            prices = "/tmp/free.toml"
            engine = "device"
            temperature = 2
            [coach.generator]
            service = "openai"
            url = "https://evil.example/v1"
            [coach.reviewer]
            service = "gemini-cli"
            program = "/tmp/evil"
        """,
    )
    assert settings == CoachSettings(generator=AgentSettings(service="ollama"))


def test_every_key_is_either_the_users_or_also_the_workspaces() -> None:
    assert set(CoachFile.__struct_fields__) > WORKSPACE_KEYS


def test_a_workspace_cannot_raise_a_limit(files: Files) -> None:
    settings = check_mistakes(
        files,
        "[limits]\ndollars = 0.01\n",
        "note: pixel.toml:3: `limits.dollars` does not count: a workspace can only lower your own limit of 0.01",
        "note: pixel.toml:4: `limits.rounds` does not count: a workspace can only lower your own limit of 3",
        pixel="[coach]\n[coach.limits]\ndollars = 5\nrounds = 4\nseconds = 9\n",
    )
    assert settings.limits == Limits(dollars=0.01, seconds=9)


def test_one_file_of_a_workspace_counts(files: Files) -> None:
    settings = check_mistakes(
        files,
        "",
        "note: pyproject.toml:2: `[tool.pixel-lsp.coach]` does not count, since pixel.toml holds settings of the coach too",
        pixel="[coach]\ncandidates = 2\n",
        pyproject="\n[tool.pixel-lsp.coach]\ncandidates = 3\n",
    )
    assert settings.candidates == 2


def test_files_of_others_are_read_past(files: Files) -> None:
    files.write(pixel="[other]\ncandidates = 2\n", pyproject="[project]\nname = 'x'\n[tool]\npixel-lsp = 3\n")
    check(files, CoachSettings())


def test_flags_are_the_last_word(files: Files) -> None:
    files.write("[generator]\nservice = 'ollama'\nmodel = 'small'\nurl = 'http://far:1'\n", pixel="[coach]\nlimits = {rounds = 1}\n")
    check(
        files,
        CoachSettings(
            generator=AgentSettings(service="ollama", model="big", url="http://far:1"),
            reviewer=AgentSettings(service="gemini-cli"),
            is_review_wanted=False,
            candidates=9,
            limits=Limits(rounds=7, dollars=3.0),
            engine="device",
            python=Path("/usr/bin/python3"),
        ),
        Overrides(
            generator="ollama=big",
            reviewer="gemini-cli",
            is_review_wanted=False,
            candidates=9,
            rounds=7,
            dollars=3.0,
            engine="device",
            python=Path("/usr/bin/python3"),
        ),
    )


def test_a_flag_for_another_service_takes_nothing_over(files: Files) -> None:
    files.write("[generator]\nservice = 'ollama'\nmodel = 'small'\nurl = 'http://far:1'\n")
    check(files, CoachSettings(generator=AgentSettings(service="llama.cpp")), Overrides(generator="llama.cpp"))


def test_a_flag_that_names_no_service(files: Files) -> None:
    settings, said = files.read(Overrides(generator="lama", reviewer="ollama"))
    assert said == [
        "error: there is no generator `lama` | there are ollama, llama.cpp, openai, embedded, pixel, scripted",
        "error: there is no reviewer `ollama` | there are gemini, gemini-cli, scripted",
    ]
    assert settings == CoachSettings()


def test_mistakes_stand_on_their_lines_and_the_rest_counts(files: Files) -> None:
    settings = check_mistakes(
        files,
        """\
        candidate = 3
        temperature = 0.5
        dollars_per_day = "1"
        protected = ["ok", 3]
        review = 1
        python = "bin/python"
        requests_per_day = true
        engine = "gpu"
        limits = { rounds = 0, seconds = nan, dollars = 0.5, cents = 5 }
        colour = "red"

        [generator]
        service = "olama"

        [reviewer]
        url = "ftp://x"
        """,
        "error: coach.toml:1: there is no setting `candidate` | did you mean `candidates`?",
        "error: coach.toml:3: `dollars_per_day` must be a number of dollars from 0 to 10,000",
        "error: coach.toml:4: `protected` must be an array of at most 500 globs",
        "error: coach.toml:5: `review` must be true or false",
        "error: coach.toml:6: `python` must be an absolute path: a relative one would be looked for in whatever folder is open",
        "error: coach.toml:7: `requests_per_day` must be a whole number from 0 to 1,000,000",
        'error: coach.toml:8: `engine` must be one of "auto", "device", "interpreter", "both"',
        "error: coach.toml:9: `limits.rounds` must be a whole number from 1 to 20",
        "error: coach.toml:9: `limits.seconds` must be a number of seconds above 0, at most 86,400",
        "error: coach.toml:9: there is no setting `limits.cents` | there are `rounds`, `seconds`, `dollars`, `requests`",
        "error: coach.toml:10: there is no setting `colour` | there are " + ", ".join(f"`{name}`" for name in CoachFile.__struct_fields__),
        'error: coach.toml:13: `generator.service` must be one of "ollama", "llama.cpp", "openai", "embedded", "pixel", "scripted"',
        "error: coach.toml:15: `reviewer.service` is missing",
        "error: coach.toml:16: `reviewer.url` must be an address that begins with http:// or https://",
    )
    assert settings == replace(CoachSettings(), temperature=0.5, limits=Limits(dollars=0.5))


def test_half_of_the_criteria_is_none(files: Files) -> None:
    settings = check_mistakes(
        files,
        """\
        [[criteria]]
        id = "a"
        question = "?"
        [[criteria]]
        id = "a"
        question = "?"
        [[criteria]]
        id = "No"
        question = "?"
        """,
        "error: coach.toml:4: two criteria are called `a`",
        "error: coach.toml:8: `criteria[2].id` must be a word of lower-case letters, digits and `_`",
    )
    assert settings.criteria == CRITERIA


@pytest.mark.parametrize("given", ["criteria = []", "criteria = 3", "criteria = ['a']", "criteria = [{}, 3]"])
def test_criteria_that_are_no_tables(files: Files, given: str) -> None:
    check_mistakes(files, given, "error: coach.toml:1: `criteria` must be 1 to 20 tables `[[criteria]]`")


@pytest.mark.parametrize("glob", ["!a/**", "#a", "a\\"])
def test_protected_paths_are_globs_that_protect(files: Files, glob: str) -> None:
    settings = check_mistakes(
        files,
        "",
        f"error: pixel.toml:1: `protected` holds `{glob}`, which is no glob",
        pixel=f"coach.protected = ['b', '{glob}']",
    )
    assert settings.protected == ()


def test_a_table_that_is_none(files: Files) -> None:
    check_mistakes(
        files,
        "limits = 3",
        "error: coach.toml:1: `limits` must be a table of settings",
        "error: pixel.toml:1: `coach` must be a table of settings",
        pixel="coach = 3",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = \n", "error: coach.toml:1: it is not TOML: invalid value"),
        ("x = 1\nx = 2\n", "error: coach.toml:2: it is not TOML: cannot overwrite a value"),
        ("a = " + "[" * 100_000, "error: coach.toml: it cannot be read: something in it is nested too deeply or too long"),
        ("a = " + "9" * 10_000, "error: coach.toml: it cannot be read: something in it is nested too deeply or too long"),
        ("#" * 300_000, "error: coach.toml: it is longer than 256 KiB"),
    ],
    ids=["value", "twice", "deep", "digits", "long"],
)
def test_files_that_are_not_to_be_read(files: Files, text: str, expected: str) -> None:
    check_mistakes(files, text, expected)


def test_files_that_are_no_text_or_no_files(files: Files) -> None:
    (files.folder / "coach.toml").write_bytes(b"a = '\xff'\n")
    os.mkfifo(files.workspace / "pixel.toml")
    (files.workspace / "pyproject.toml").symlink_to(files.folder / "coach.toml")
    assert files.read() == (
        CoachSettings(),
        ["error: coach.toml: it is not UTF-8 text", "error: pyproject.toml: it is a link that leads out of the workspace"],
    )


def test_playbooks_of_a_workspace_lie_in_it(files: Files) -> None:
    (files.workspace / "link.toml").symlink_to("/etc/passwd")
    settings = check_mistakes(
        files,
        "",
        "error: pixel.toml:2: the playbook `../out.toml` lies outside of the workspace",
        "error: pixel.toml:2: the playbook `/etc/passwd` lies outside of the workspace",
        "error: pixel.toml:2: the playbook `link.toml` lies outside of the workspace",
        pixel="[coach]\nplaybooks = ['../out.toml', '/etc/passwd', 'link.toml', 'in.toml']\n",
    )
    assert settings.playbooks == (files.workspace.resolve() / "in.toml",)


def test_where_the_users_file_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert config_folder({"XDG_CONFIG_HOME": "/x"}) == Path("/x/pixel-lsp")
    assert config_folder({"XDG_CONFIG_HOME": "relative"}) == Path("/home/somebody/.config/pixel-lsp")


def test_the_schema_is_current_and_takes_the_example() -> None:
    assert (REPOSITORY / "docs" / "coach.schema.json").read_text(encoding="utf-8") == coach_schema(), "stale; run scripts/generate_docs"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(tomli.loads(EXAMPLE.read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize("given", [{"candidates": 0}, {"colour": 1}, {"generator": {"url": "http://x"}}, {"generator": {"service": "x"}}])
def test_the_schema_refuses_what_the_reader_refuses(given: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(given, SCHEMA)


def test_the_schema_knows_every_service() -> None:
    services = {name: SCHEMA["$defs"][name]["properties"]["service"]["enum"] for name in ("GeneratorTable", "ReviewerTable")}
    assert services == {"GeneratorTable": sorted(LOCAL_SERVICES), "ReviewerTable": sorted(REVIEW_SERVICES)}


def test_the_file_knows_every_field_of_the_settings() -> None:
    assert set(LimitsTable.__struct_fields__) == {field.name for field in fields(Limits)}
    assert set(CriterionTable.__struct_fields__) == {field.name for field in fields(Criterion)}
    assert {*GeneratorTable.__struct_fields__, *ReviewerTable.__struct_fields__} == {field.name for field in fields(AgentSettings)}
    of_settings = {field.name for field in fields(CoachSettings)} - {"is_review_wanted"} | {"review"}
    assert set(CoachFile.__struct_fields__) == of_settings
