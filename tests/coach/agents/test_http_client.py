"""HttpClient: what becomes of connections that misbehave, and what the log is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from model_servers.fake_server import FakeServer, Received, Sent
from pixel_coach.agents.address import read_address
from pixel_coach.agents.http_client import HttpClient, HttpOptions
from pixel_coach.errors import AgentError, AgentUnavailable, ReplyCut

KEY = "a-key-of-the-test"


@asynccontextmanager
async def client_for(url: str, log: list[Any] | None = None, silence_s: float = 20.0) -> AsyncIterator[HttpClient]:
    client = HttpClient(
        HttpOptions(
            agent="test",
            service="the service",
            address=read_address(url),
            log=(lambda _: None) if log is None else log.append,
            key_headers={"x-goog-api-key": KEY},
            key=KEY,
            silence_s=silence_s,
            absent_hint="start it",
        )
    )
    yield client
    await client.close()


async def check_failure(url: str, kind: type[AgentError], start: str, **options: Any) -> None:
    async with client_for(url, **options) as client:
        with pytest.raises(AgentError) as failure:
            await client.fetch("GET", "/")
    assert type(failure.value) is kind
    assert failure.value.message.startswith(start)
    assert failure.value.hint


def serve(answer: Callable[[Received], Sent] = lambda _: Sent(pieces=(b"fine",))) -> FakeServer:
    return FakeServer(answer)


async def test_a_service_that_falls_silent() -> None:
    with serve(lambda _: Sent(pieces=(b"a", b"b"), pause_s=30)) as fake:
        start = f"the service at {fake.url} sent nothing for 0.2 s, and the request was ended"
        await check_failure(fake.url, ReplyCut, start, silence_s=0.2)


async def test_a_service_without_tls() -> None:
    with serve() as fake:
        url = fake.url.replace("http:", "https:")
        await check_failure(url, AgentUnavailable, f"the service at {url} does not speak TLS: [SSL")


async def test_a_service_that_breaks_off() -> None:
    with serve(lambda _: Sent(pieces=(b"x",), is_cut=True)) as fake:
        await check_failure(fake.url, ReplyCut, f"the connection to the service at {fake.url} broke before the reply was whole")


async def test_no_proxy_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serve() as fake:
        async with client_for(fake.url) as client:
            assert await client.fetch("GET", "/") == (200, b"fine")


async def test_it_can_be_used_again_after_it_was_closed() -> None:
    with serve() as fake:
        async with client_for(fake.url) as client:
            await client.fetch("GET", "/")
            await client.close()
            assert (await client.fetch("GET", "/"))[0] == 200


async def test_what_the_log_is_told() -> None:
    log: list[Any] = []
    with serve(lambda _: Sent(status=400, pieces=(f"bad {KEY}".encode(),))) as fake:
        async with client_for(fake.url, log) as client:
            await client.fetch("POST", "/x", {"prompt": f"my key is {KEY}", "n": 1})
    assert [entry["event"] for entry in log] == ["request", "refusal", "reply"]
    assert log[0] == {
        "event": "request",
        "agent": "test",
        "method": "POST",
        "url": f"{fake.url}/x",
        "headers": {"x-goog-api-key": "[redacted]"},
        "body": {"prompt": "my key is [redacted]", "n": 1},
    }
    assert (log[1]["text"], log[2]["status"], log[2]["bytes"]) == ("bad [redacted]", 400, 4 + len(KEY))
    assert KEY not in json.dumps(log)


async def test_lines_end_at_line_feeds_alone() -> None:
    pieces = ("a\u2028b\n".encode(), b"c", b"d\r\n\n", b"e\x0bf\nlast")
    with serve(lambda _: Sent(pieces=pieces)) as fake:
        async with client_for(fake.url) as client, client.exchange("GET", "/") as exchange:
            lines = [line async for line in exchange.lines()]
    assert lines == ["a\u2028b".encode(), b"cd", b"", b"e\x0bf", b"last"]
