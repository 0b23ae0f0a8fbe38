"""The command line of what runs models: `generate` and `serve`, their arguments and the way to their modules.

Loaded by `cli` at every start, so nothing but argparse is imported here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

Declare = Callable[[argparse.ArgumentParser], None]

# As in pixel_core.inference.messages, which would cost a start-up; a test compares.
BACKENDS = ("auto", "device", "reference", "exact")


def model_verbs() -> Mapping[str, tuple[str, Declare]]:
    """The verbs, each with its one line of help and what declares its arguments."""
    return {
        "generate": ("let a language model go on with a text, or answer", _add_generate),
        "prove": ("hold every kernel that a model runs to its contract, at every size that it runs it", _add_prove),
        "serve": ("answer programs with a language model, in the form of OpenAI's interface", _add_serve),
    }


def run_model_verb(arguments: argparse.Namespace) -> int:
    """Hand over to the verb's module. Returns the exit code."""
    if arguments.verb == "generate":
        from pixel_core.inference.messages import SamplingOptions
        from pixel_server.commands.generate import GenerateCommand, generate

        return generate(
            GenerateCommand(
                path=arguments.path,
                model=arguments.model,
                prompt=arguments.prompt,
                system=arguments.system,
                is_chat=arguments.chat,
                max_tokens=arguments.max_tokens,
                stop=tuple(arguments.stop),
                backend=arguments.backend,
                context_tokens=arguments.context,
                sampling=SamplingOptions(
                    temperature=arguments.temperature,
                    top_k=arguments.top_k,
                    top_p=arguments.top_p,
                    min_p=arguments.min_p,
                    repeat_penalty=arguments.repeat_penalty,
                    seed=arguments.seed,
                ),
            )
        )
    if arguments.verb == "prove":
        from pixel_server.commands.prove import ProveCommand, prove

        return prove(
            ProveCommand(
                path=arguments.path,
                model=arguments.model,
                context_tokens=arguments.context,
                form=arguments.format,
                jobs=arguments.jobs,
                seed=arguments.seed,
                color=not arguments.no_color,
            )
        )
    from pixel_server.commands.serve import ServeCommand, serve

    return serve(
        ServeCommand(
            path=arguments.path,
            model=arguments.model,
            backend=arguments.backend,
            context_tokens=arguments.context,
            port=arguments.port,
            token_file=arguments.token_file,
            queue=arguments.queue,
        )
    )


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write what a language model makes of a prompt to standard output, as it comes; how fast it was, to standard error."
    )
    parser.epilog = "Exit codes: 0 done, 2 the model or the prompt cannot be used, 130 Ctrl-C, 143 SIGTERM."
    _add_model(parser)
    parser.add_argument("-p", "--prompt", metavar="TEXT", help="what to go on with (default: standard input)")
    parser.add_argument("--chat", action="store_true", help="the prompt is a message, which the model's chat template puts into words")
    parser.add_argument("--system", metavar="TEXT", help="instructions before the message; with --chat")
    parser.add_argument(
        "-n", "--max-tokens", type=_whole(0), default=256, metavar="N", help="of the reply; 0 for all that fit (default: 256)"
    )
    parser.add_argument("--temperature", type=_real(0, 100), default=0.8, metavar="T", help="0 takes the likeliest token (default: 0.8)")
    parser.add_argument("--top-k", type=_whole(0), default=40, metavar="N", help="choose among the N likeliest; 0 among all (default: 40)")
    parser.add_argument("--top-p", type=_real(0, 1), default=0.95, metavar="P", help="the likeliest that together make P (default: 0.95)")
    parser.add_argument(
        "--min-p", type=_real(0, 1), default=0.05, metavar="P", help="at least P as likely as the likeliest (default: 0.05)"
    )
    parser.add_argument(
        "--repeat-penalty", type=_real(0.01, 100), default=1.0, metavar="X", help="above 1 avoids recent tokens (default: 1)"
    )
    parser.add_argument("--seed", type=_whole(0), default=0, metavar="N", help="of what is drawn (default: 0)")
    parser.add_argument("--stop", action="append", default=[], metavar="TEXT", help="ends the reply; may be repeated")


def _add_prove(parser: argparse.ArgumentParser) -> None:
    parser.description = "Find out which kernels a model runs at which sizes, and check each of them against its contract."
    parser.epilog = "Exit codes: 0 all passed, 1 one failed or nothing could be shown for it, 2 the model or the adapter cannot be used."
    _add_file(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="form of the report (default: text)")
    parser.add_argument("--seed", type=_whole(0), default=0, metavar="N", help="draw other inputs (default: 0)")
    parser.add_argument("-j", "--jobs", type=_whole(1, 64), default=1, metavar="N", help="kernel workers at most (default: 1)")
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the NO_COLOR variable)")


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Answer at http://127.0.0.1:PORT/v1 in the form of OpenAI's interface, until Ctrl-C. Only this machine is answered."
    )
    parser.epilog = "Requests need a token: from PIXEL_LSP_TOKEN, from --token-file, or made anew and printed to standard error."
    _add_model(parser)
    parser.add_argument("--port", type=_whole(0, 65_535), default=8788, metavar="N", help="0 takes a free one (default: 8788)")
    parser.add_argument("--token-file", metavar="FILE", help="its first line is the token that requests must bring")
    parser.add_argument("--queue", type=_whole(1, 1_000), default=64, metavar="N", help="requests that may wait (default: 64)")


def _add_model(parser: argparse.ArgumentParser) -> None:
    _add_file(parser)
    parser.add_argument("--backend", choices=BACKENDS, default="auto", help="what computes (default: auto)")


def _add_file(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("path", nargs="?", metavar="FILE", help="a model: .gguf or .pxi")
    which.add_argument("--model", metavar="NAME", help="a model of an installed package: smollm2")
    parser.add_argument(
        "--context",
        type=_whole(0),
        default=0,
        metavar="N",
        help="tokens of prompt and reply (default: what it was made for, 8,192 at most)",
    )


def _whole(low: int, high: int = (1 << 31) - 1) -> Callable[[str], int]:
    return lambda text: _number(text, low, high, int)


def _real(low: float, high: float) -> Callable[[str], float]:
    return lambda text: _number(text, low, high, float)


def _number(text: str, low: float, high: float, kind: Callable[[str], Any]) -> Any:
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not low <= number <= high:  # so it is for NaN
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from {low:,} to {high:,}")
    return number
