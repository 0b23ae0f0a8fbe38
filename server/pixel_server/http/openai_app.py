"""The application: OpenAI's routes over one model."""

from __future__ import annotations

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pixel_core.inference.messages import GenerateRequest
from pixel_core.inference.model_process import ModelProcess
from pixel_server.http.answer_generation import GenerationResponse
from pixel_server.http.guard_requests import GuardRequests
from pixel_server.http.openai_replies import ReplyForm
from pixel_server.http.openai_requests import ChatBody, CompletionBody, chat_request, completion_request, read_request
from pixel_server.http.problems import Problem, problem_response
from pixel_server.http.read_body import read_body
from pixel_server.http.turns import Turns


def openai_app(process: ModelProcess, *, name: str, context_tokens: int, token: str, port: int, turns: Turns) -> ASGIApp:
    """Make the application.

    Args:
        process: The model.
        name: How clients call it.
        context_tokens: Of prompt and reply; told in the list of models.
        token: That every request must bring.
        port: Where it listens.
        turns: Who is answered next.
    """

    async def list_models(_: Request) -> Response:
        model = {"id": name, "object": "model", "created": 0, "owned_by": "pixel-lsp", "max_model_len": context_tokens}
        return Response(msgspec.json.encode({"object": "list", "data": [model]}), media_type="application/json")

    async def chat(request: Request) -> Response:
        body = read_request(await read_body(request), ChatBody)
        return respond(request, body, chat_request(body, process.source), is_chat=True)

    async def complete(request: Request) -> Response:
        body = read_request(await read_body(request), CompletionBody)
        return respond(request, body, completion_request(body, process.source), is_chat=False)

    def respond(request: Request, body: ChatBody | CompletionBody, asked: GenerateRequest, *, is_chat: bool) -> Response:
        if body.model != name:
            raise Problem(404, f"there is no model `{body.model[:100]}`; this is `{name}`", code="model_not_found")
        form = ReplyForm(is_chat=is_chat, model=name, has_usage=body.has_usage)
        return GenerationResponse(process, turns, _client(request, body.user), asked, form, is_stream=bool(body.stream))

    app = Starlette(
        routes=[
            Route("/v1/models", list_models, methods=["GET"]),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/completions", complete, methods=["POST"]),
        ],
        exception_handlers={Problem: _tell, HTTPException: _tell_http},
    )
    return GuardRequests(app, token=token, port=port)


def _client(request: Request, user: str | None) -> str:
    """Whose request it is: as it says itself, else that of its connection."""
    if user:
        return f"user {user[:256]}"
    return "" if request.client is None else f"{request.client.host} {request.client.port}"


async def _tell(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem), "it is registered for this class"
    return problem_response(problem)


async def _tell_http(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException), "it is registered for this class"
    return problem_response(Problem(problem.status_code, str(problem.detail).lower(), headers=dict(problem.headers or {})))
