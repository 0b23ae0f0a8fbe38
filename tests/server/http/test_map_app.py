"""The map's routes: what is open, what needs the cookie, and what a browser is told."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import PIL.Image
import pytest

from pixel_core.errors import ModelFileError
from pixel_core.model_map.atlas import Atlas
from pixel_core.model_map.draw_tile import TileDrawer
from pixel_core.model_map.palette import palette
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.gguf import open_gguf
from pixel_server.http import map_pictures
from pixel_server.http.map_app import map_app
from pixel_server.http.map_pictures import MapPictures
from tiny_models import tiny_llama, write_tiny_model

PORT = 8789
PAGE = Path(map_pictures.__file__).with_name("map_page")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that was given the address and has not opened it yet."""
    path = write_tiny_model(tmp_path / "<b>tiny.gguf", {**tiny_llama(GgmlType.Q4_0), "new": (GgmlType.IQ4_XS, (256, 2))})
    with open_gguf(path) as model:
        atlas = Atlas(model)
        app = map_app(atlas, MapPictures(atlas), token="the-token", code="the-code", port=PORT)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://127.0.0.1:{PORT}") as client:
            yield client


@pytest.fixture
async def inside(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser that is in."""
    assert (await client.post("/login", content="the-code")).status_code == 204
    return client


async def test_every_file_of_the_page_is_there_and_open(client: httpx.AsyncClient) -> None:
    for file in PAGE.iterdir():
        answer = await client.get("/" if file.name == "index.html" else f"/{file.name}")
        assert (answer.status_code, answer.content) == (200, file.read_bytes())


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    """No address of another origin, no script or style in the page: the policy would refuse them."""
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text
        assert "https:" not in text
        assert not re.search(r"(src|href)=\"(?!/)|<script(?! type=\"module\" src=)|<style|\sstyle=|\son\w+=|innerHTML|eval\(", text), file


@pytest.mark.parametrize("path", ["/model", "/tiles/0/0/0.png", "/tensors/0", "/layers/0", "/nothing"])
async def test_the_rest_needs_the_cookie(client: httpx.AsyncClient, path: str) -> None:
    for cookie in ({}, {"cookie": f"pixel-lsp-map-{PORT}=wrong"}, {"cookie": "pixel-lsp-map-1=the-token"}, {"cookie": '\\x00;=;"'}):
        answer = await client.get(path, headers=cookie)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_logged_in")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", f"127.0.0.1:{PORT + 1}", f"evil.example:{PORT}", ""])
async def test_other_names_are_refused(inside: httpx.AsyncClient, host: str) -> None:
    for path in ("/", "/model"):
        answer = await inside.get(path, headers={"host": host})
        assert (answer.status_code, answer.json()["error"]["code"]) == (421, "wrong_host")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_other_pages_are_refused(inside: httpx.AsyncClient, site: str) -> None:
    for path in ("/", "/model", "/login"):
        answer = await inside.get(path, headers={"sec-fetch-site": site})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_site")
    assert (await inside.get("/model", headers={"sec-fetch-site": "same-origin"})).status_code == 200


async def test_the_code_works_once(client: httpx.AsyncClient) -> None:
    assert (await client.post("/login", content="another")).json()["error"]["code"] == "wrong_code"
    answer = await client.post("/login", content="the-code")
    assert answer.headers["set-cookie"] == f"pixel-lsp-map-{PORT}=the-token; HttpOnly; Path=/; SameSite=strict"
    assert (await client.get("/model")).status_code == 200
    assert (await client.post("/login", content="the-code")).json()["error"]["code"] == "wrong_code"


async def test_every_answer_has_the_headers_that_browsers_ask_for(client: httpx.AsyncClient) -> None:
    for answer in (await client.get("/"), await client.get("/model"), await client.get("/", headers={"host": "evil.example"})):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_it_only_reads(inside: httpx.AsyncClient, method: str) -> None:
    for path in ("/", "/model", "/tensors/0"):
        assert (await inside.request(method, path)).status_code == 405


async def test_the_model(inside: httpx.AsyncClient) -> None:
    model = (await inside.get("/model")).json()
    assert (model["name"], model["file"]) == ("tiny", "<b>tiny.gguf")
    assert [layer["layer"] for layer in model["layers"]] == [0, 1]
    (query,) = (one for one in model["layers"][1]["tensors"] if one["name"] == "blk.1.attn_q.weight")
    assert (query["type"], query["shape"], len(query["heads"])) == ("Q4_0", [64, 64], 4)
    assert query["planes"][0]["y"] == query["heads"][0]["y"]


async def test_a_tile_is_what_is_drawn(inside: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await inside.get("/tiles/0/0/0.png")
    assert answer.headers["content-type"] == "image/png"
    with open_gguf(tmp_path / "<b>tiny.gguf") as model, PIL.Image.open(BytesIO(answer.content)) as image:
        drawn = TileDrawer(Atlas(model)).draw(0, 0, 0)
        found = np.asarray(image.convert("RGBA"))
    assert np.array_equal(found[..., 3] > 0, drawn > 0)
    assert np.array_equal(found[..., :3][drawn > 0], palette()[drawn[drawn > 0]])
    assert (await inside.get("/tiles/0/0/0.png")).content == answer.content


async def test_figures_of_a_tensor_and_of_a_layer(inside: httpx.AsyncClient) -> None:
    tensors = (await inside.get("/layers/1")).json()["tensors"]
    assert [one["name"] for one in tensors][:2] == ["blk.1.attn_norm.weight", "blk.1.attn_q.weight"]
    one = (await inside.get(f"/tensors/{tensors[1]['id']}")).json()
    assert one == tensors[1]
    assert (one["layer"], one["bytes"], one["format"], one["summary"]["values"]) == (1, 2304, "nibbles", 4096)


async def test_a_type_that_cannot_be_computed_has_no_figures(inside: httpx.AsyncClient) -> None:
    number = next(one["id"] for one in (await inside.get("/model")).json()["tensors"] if one["name"] == "new")
    assert (await inside.get(f"/tensors/{number}")).json()["summary"] is None


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/tiles/-6/0/0.png", "no_tile"),
        ("/tiles/33/0/0.png", "no_tile"),
        ("/tiles/0/999999999999999/0.png", "no_tile"),
        ("/tiles/0/x/0.png", "no_number"),
        ("/tiles/0/--1/0.png", "no_number"),
        ("/tiles/0/1e3/0.png", "no_number"),
        ("/tiles/0/%D9%A3/0.png", "no_number"),
        ("/tiles/0/" + "1" * 5000 + "/0.png", "no_number"),
        ("/tensors/999", "no_tensor"),
        ("/tensors/-1", "no_tensor"),
        ("/layers/2", "no_layer"),
        ("/tiles/0/0/../../../../etc/passwd", None),
        ("/map_page/map.js", None),
    ],
)
async def test_what_is_not_there(inside: httpx.AsyncClient, path: str, code: str | None) -> None:
    answer = await inside.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


async def test_a_damaged_file_is_told(inside: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ModelFileError("tile 7 is damaged")

    monkeypatch.setattr(TileDrawer, "draw", fail)
    answer = await inside.get("/tiles/1/0/0.png")
    assert (answer.status_code, answer.json()["error"]["message"]) == (500, "tile 7 is damaged")


async def test_the_cache_is_bounded_and_nobody_draws_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, int, int]] = []
    draw = TileDrawer.draw

    def counted(self: TileDrawer, level: int, column: int, row: int) -> object:
        drawn.append((level, column, row))
        return draw(self, level, column, row)

    async def yes() -> bool:
        return True

    async def no() -> bool:
        return False

    monkeypatch.setattr(TileDrawer, "draw", counted)
    monkeypatch.setattr(map_pictures, "_CACHE_BYTES", 3500)
    with open_gguf(write_tiny_model(tmp_path / "a.gguf", {"w": (GgmlType.F32, (4, 4))})) as model:
        pictures = MapPictures(Atlas(model))
        assert await pictures.tile((0, 5, 5), no) is None
        for column in (50, 51, 50, 52, 50, 53, 51):
            assert await pictures.tile((0, column, 0), yes)
    # An empty tile takes about 1,150 bytes: three are kept, and of those the one that was used last stays longest.
    assert [column for _, column, _ in drawn] == [50, 51, 52, 53, 51]
