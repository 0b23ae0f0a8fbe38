"""Who is chosen, and what is said of those who are not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from model_servers.fake_completions import FakeCompletions
from model_servers.fake_gemini import KEY, FakeGemini
from model_servers.fake_ollama import FakeOllama
from pixel_coach.agents import choose as choosing
from pixel_coach.agents import llama_cpp
from pixel_coach.agents.choose import choose
from pixel_coach.settings import AgentSettings, CoachSettings

NOBODY = {"OLLAMA_HOST": "127.0.0.1:1", "PATH": "/nonexistent"}
"""Port 1 is privileged: nothing answers there."""


@pytest.fixture(autouse=True)
def _no_server_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_cpp, "DEFAULT_ADDRESS", "http://127.0.0.1:1")


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as server:
        yield server


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    with FakeGemini() as server:
        yield server


async def check(settings: CoachSettings, environment: dict[str, str], mode: str, looked: dict[str, bool]) -> None:
    team = await choose(settings, {**NOBODY, **environment})
    await team.close()
    assert (team.mode, {each.agent: each.is_available for each in team.availabilities}) == (mode, looked)
    assert all(each.reason and (each.is_available or each.hint) for each in team.availabilities)
    assert (team.generator_availability is None, team.reviewer_availability is None) == (team.generator is None, team.reviewer is None)


def gemini_at(fake: FakeGemini) -> AgentSettings:
    return AgentSettings(service="gemini", url=fake.url)


async def test_full(ollama: FakeOllama, gemini: FakeGemini) -> None:
    environment = {"OLLAMA_HOST": ollama.url, "GEMINI_API_KEY": KEY}
    await check(CoachSettings(reviewer=gemini_at(gemini)), environment, "full", {"ollama": True, "gemini": True})


async def test_gemini_only(gemini: FakeGemini) -> None:
    looked = {"ollama": False, "llama.cpp": False, "embedded": False, "gemini": True}
    await check(CoachSettings(reviewer=gemini_at(gemini)), {"GOOGLE_API_KEY": KEY}, "gemini only", looked)


async def test_local_only(ollama: FakeOllama) -> None:
    await check(CoachSettings(), {"OLLAMA_HOST": ollama.url}, "local only", {"ollama": True, "gemini": False, "gemini-cli": False})


async def test_local_only_because_no_review_is_wanted(ollama: FakeOllama) -> None:
    """The key is there, and is not even looked at."""
    settings = CoachSettings(is_review_wanted=False)
    await check(settings, {"OLLAMA_HOST": ollama.url, "GEMINI_API_KEY": KEY}, "local only", {"ollama": True, "gemini": False})


async def test_nobody() -> None:
    looked = {"ollama": False, "llama.cpp": False, "embedded": False, "gemini": False, "gemini-cli": False}
    await check(CoachSettings(), {}, "none", looked)


async def test_what_is_named_is_looked_at_alone(ollama: FakeOllama) -> None:
    """A model that somebody named is not replaced by another without being asked."""
    settings = CoachSettings(generator=AgentSettings(service="llama.cpp"), is_review_wanted=False)
    await check(settings, {"OLLAMA_HOST": ollama.url}, "none", {"llama.cpp": False, "gemini": False})


async def test_llama_cpp_is_found_where_ollama_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeCompletions(is_llama_cpp=True) as fake:
        monkeypatch.setattr(llama_cpp, "DEFAULT_ADDRESS", fake.url)
        looked = {"ollama": False, "llama.cpp": True, "gemini": False}
        await check(CoachSettings(is_review_wanted=False), {}, "local only", looked)


async def test_scripted(tmp_path: Path) -> None:
    script = tmp_path / "demo.toml"
    script.write_text("[[replies]]\ntext = 'x'\n")
    scripted = AgentSettings(service="scripted", model=str(script))
    team = await choose(CoachSettings(generator=scripted, reviewer=scripted), {})
    assert (team.mode, [each.reason[:20] for each in team.availabilities]) == ("full", ["scripted, not a mode"] * 2)
    await team.close()


async def test_a_service_that_is_not_local_says_so() -> None:
    settings = CoachSettings(generator=AgentSettings(service="ollama", url="http://nowhere.invalid"), is_review_wanted=False)
    team = await choose(settings, {})
    assert not team.availabilities[0].is_local


def test_every_service_of_the_settings_has_a_maker() -> None:
    from pixel_coach.settings import LOCAL_SERVICES, REVIEW_SERVICES

    for service in {*LOCAL_SERVICES, *REVIEW_SERVICES}:
        settings = AgentSettings(service=service, url="http://127.0.0.1:1")
        environment = {"GEMINI_API_KEY": KEY}
        assert choosing._maker(settings, "generator", environment, lambda _: None)().name == service
