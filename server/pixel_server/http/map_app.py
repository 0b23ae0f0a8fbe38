"""The application: the map of a model for a browser of this machine. It only reads."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pixel_core.errors import PixelError
from pixel_core.model_map.atlas import MAX_COORDINATE, Atlas
from pixel_core.model_map.draw_tile import FARTHEST, NEAREST
from pixel_core.weights.place_on_map import layer_slot
from pixel_core.weights.pxi_records import TensorPlace
from pixel_server.http.guard_pages import GuardPages, cookie_name
from pixel_server.http.map_pictures import MapPictures
from pixel_server.http.problems import Problem, problem_of, problem_response
from pixel_server.http.read_body import read_body

_FOLDER: Final = Path(__file__).with_name("map_page")
_PAGE: Final = {
    "/": ("index.html", "text/html"),
    "/map.css": ("map.css", "text/css"),
    "/camera.js": ("camera.js", "text/javascript"),
    "/draw.js": ("draw.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/map.js": ("map.js", "text/javascript"),
    "/panel.js": ("panel.js", "text/javascript"),
    "/tiles.js": ("tiles.js", "text/javascript"),
}


def map_app(atlas: Atlas, pictures: MapPictures, *, token: str, code: str, port: int) -> ASGIApp:
    """Make the application.

    Args:
        atlas: The model's map.
        pictures: Of the same.
        token: What the cookie holds.
        code: Gives the cookie to whoever shows it first.
        port: Where it listens.
    """
    codes = {code}
    layers = atlas.layers

    async def page(request: Request) -> Response:
        name, kind = _PAGE[request.url.path]
        return Response((_FOLDER / name).read_bytes(), media_type=kind)

    async def log_in(request: Request) -> Response:
        shown = await read_body(request)
        if not any(hmac.compare_digest(shown, one.encode()) for one in codes):
            raise Problem(401, "that code is none, or it was used before; start `pixel-lsp map` again", code="wrong_code")
        codes.clear()
        response = Response(status_code=204)
        response.set_cookie(cookie_name(port), token, httponly=True, samesite="strict")
        return response

    async def model(_: Request) -> Response:
        return _json(atlas.describe())

    async def tile(request: Request) -> Response:
        level, column, row = (_whole(request, name) for name in ("level", "column", "row"))
        if not NEAREST <= level <= FARTHEST or max(abs(column), abs(row)) > MAX_COORDINATE:
            raise Problem(404, "the map has no such tile", code="no_tile")

        async def is_wanted() -> bool:
            return not await request.is_disconnected()

        picture = await pictures.tile((level, column, row), is_wanted)
        return Response(status_code=204) if picture is None else Response(picture, media_type="image/png")

    async def tensor(request: Request) -> Response:
        number = _whole(request, "number")
        if not 0 <= number < len(atlas.places):
            raise Problem(404, "the model has no such tensor", code="no_tensor")
        return _json(await _figures(atlas.places[number]))

    async def layer(request: Request) -> Response:
        number = _whole(request, "number")
        if number not in layers:
            raise Problem(404, "the model has no such layer", code="no_layer")
        return _json({"layer": number, "tensors": [await _figures(place) for place in layers[number]]})

    async def _figures(place: TensorPlace) -> Mapping[str, object]:
        one = place.tensor
        return {
            "id": place.number,
            "name": one.name,
            "layer": layer_slot(one.name).layer,
            "type": one.type.name,
            "shape": list(one.shape),
            "bytes": one.byte_count,
            "format": place.texel_format.name.lower(),
            "summary": await pictures.summary(place.number),
        }

    app = Starlette(
        routes=[
            *(Route(path, page, methods=["GET"]) for path in _PAGE),
            Route("/login", log_in, methods=["POST"]),
            Route("/model", model, methods=["GET"]),
            Route("/tiles/{level}/{column}/{row}.png", tile, methods=["GET"]),
            Route("/tensors/{number}", tensor, methods=["GET"]),
            Route("/layers/{number}", layer, methods=["GET"]),
        ],
        exception_handlers={Problem: _tell, HTTPException: _tell_http, PixelError: _tell_error},
    )
    return GuardPages(app, token=token, port=port, open_paths=(*_PAGE, "/login"))


def _json(data: object) -> Response:
    return Response(msgspec.json.encode(data), media_type="application/json")


def _whole(request: Request, name: str) -> int:
    """A whole number of a path: plain digits, and few enough of them."""
    text = str(request.path_params[name])
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise Problem(404, f"`{text[:40]}` is no number", code="no_number")
    return int(text)


async def _tell(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem), "it is registered for this class"
    return problem_response(problem)


async def _tell_http(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException), "it is registered for this class"
    return problem_response(Problem(problem.status_code, str(problem.detail).lower(), headers=dict(problem.headers or {})))


async def _tell_error(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, PixelError), "it is registered for this class"
    return problem_response(problem_of(problem))
