"""The `pixel-lsp` command: reads the command line and hands over to one verb.

Heavy imports stand inside the branches, so that `pixel-lsp --version` starts as fast as Python does.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

from pixel_core import __version__
from pixel_core.errors import PixelError
from pixel_server.cli_coach import coach_verbs, positive_number
from pixel_server.cli_fs import fs_verbs
from pixel_server.cli_models import model_verbs, run_model_verb
from pixel_server.cli_weights import WEIGHTS_VERBS, weights_verbs

INTERRUPTED_CODE = 130
BROKEN_PIPE_CODE = 141
USAGE_CODE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: Arguments without the program's name; those of the process when None.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A path may hold bytes that are no text; naming it must not end the check.
            stream.reconfigure(errors="backslashreplace")
    argv = _spell_out_coach(sys.argv[1:] if argv is None else argv)
    parser = build_parser(argv)
    arguments = parser.parse_args(argv)
    if arguments.verb == "check" and arguments.watch and arguments.format != "text":
        parser.error("--watch writes text; leave out --format")
    try:
        code = _run(arguments, parser)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED_CODE
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain once more when it flushes the stream at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE_CODE
    except PixelError as problem:
        print(f"pixel-lsp: {problem.message}" + (f"\n  hint: {problem.hint}" if problem.hint else ""), file=sys.stderr)
        return USAGE_CODE
    return code


def build_parser(argv: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The command line; docs/cli.md describes what it accepts.

    Args:
        argv: What is to be read: parsers that it does not need are left out, since making all of them takes longer than everything
            else that `--version` does. None for the whole of it.
    """
    parser = argparse.ArgumentParser(
        prog="pixel-lsp",
        description="Runs your WGSL compute kernels against a CPU reference and says, on the line that matters, whether they are right.",
        epilog="Exit codes: 0 all passed, 1 an error or a failed or inconclusive verdict, 2 nothing could be checked.",
    )
    parser.add_argument("--version", action="version", version=f"pixel-lsp {__version__}")
    transport = parser.add_mutually_exclusive_group()
    transport.add_argument("--stdio", action="store_true", help="speak LSP on standard input and output (also without any argument)")
    transport.add_argument("--tcp", metavar="HOST:PORT", help="wait for one editor at a loopback address")
    # Spelled out as the verb before the command line is read; here for the help, and to go with no other transport.
    transport.add_argument("--coach", action="store_true", help="work on queued tasks: the command coach, also for programs that start it")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND")
    known = {**_CHECK_VERBS, **model_verbs(), **weights_verbs(), **fs_verbs(), **coach_verbs()}
    for name in known if argv is None else _needed(argv, known):
        summary, declare = known[name]
        declare(verbs.add_parser(name, help=summary))
    return parser


def _needed(argv: Sequence[str], known: Mapping[str, object]) -> Iterable[str]:
    """The verbs whose parsers a command line needs: one that begins with a verb that one, and help and mistakes all of them."""
    if argv and argv[0] in known:
        return (argv[0],)
    return () if set(argv) <= {"--version", "--stdio"} else known


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.description = "Run kernels and compare what they write with what their contracts promise."
    parser.epilog = "Naming a path is consent to run what it holds; `--untrusted` withdraws it."
    parser.add_argument("paths", nargs="*", default=["."], metavar="PATH", help="files, folders and globs (default: the current folder)")
    parser.add_argument(
        "--format", choices=("text", "json", "sarif", "junit", "github"), default="text", help="form of the report (default: text)"
    )
    parser.add_argument("--case", metavar="NAME", help="run only the cases of this name, such as 'M=65 N=33 K=20'")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="draw other inputs (default: 0)")
    parser.add_argument(
        "--engine", choices=("auto", "device", "interpreter", "both"), default="auto", help="what executes the kernels (default: auto)"
    )
    parser.add_argument("--untrusted", action="store_true", help="execute nothing: only say what can be said by reading")
    parser.add_argument("--strict", action="store_true", help="count a skipped kernel as a failure")
    parser.add_argument("--watch", action="store_true", help="stay, and check again what changes")
    parser.add_argument("-j", "--jobs", type=positive_number, default=1, metavar="N", help="kernel workers at most (default: 1)")
    parser.add_argument(
        "--python",
        metavar="PATH",
        help="interpreter for Python references (default: the workspace's .venv, VIRTUAL_ENV, python3)",
    )
    parser.add_argument(
        "--workspace", metavar="PATH", help="folder that files named by contracts must lie in (default: each shader's project)"
    )
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the NO_COLOR variable)")


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Time kernels beside what the adapter can do at most. What fails its contract is not timed. "
        "Or time a model, a .gguf or .pxi file, beside llama.cpp."
    )
    parser.epilog = "Naming a path is consent to run what it holds. Exit codes: 0 all timed, 1 one is wrong or became slower, 2 none."
    parser.add_argument("paths", nargs="*", default=["."], metavar="PATH", help="files, folders and globs (default: the current folder)")
    parser.add_argument("--kernel", metavar="NAME", help="only the contract of this name")
    parser.add_argument(
        "--case", action="append", default=[], metavar="SIZES", help="a case's name, or sizes such as 'M=512 N=512 K=512'; may be repeated"
    )
    parser.add_argument("--rounds", type=_rounds, default=9, metavar="N", help="measurements of each, at least 3 (default: 9)")
    parser.add_argument("--prompt-tokens", type=_tokens, default=128, metavar="N", help="of a model's prompt (default: 128)")
    parser.add_argument("--reply-tokens", type=_tokens, default=32, metavar="N", help="of its reply (default: 32)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="draw other inputs (default: 0)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="form of the answer (default: text)")
    parser.add_argument("--plot", metavar="FILE", help="draw the roofline as FILE.svg or FILE.png (needs the extra `plot`)")
    parser.add_argument("--save-baseline", metavar="FILE", help="save what was measured, for --baseline")
    parser.add_argument("--baseline", metavar="FILE", help="compare with what was saved, and tell what became slower")
    parser.add_argument(
        "--threshold", type=_percent, default=10.0, metavar="PERCENT", help="what counts as slower, besides the noise (default: 10)"
    )
    parser.add_argument("--python", metavar="PATH", help="interpreter for Python references, as in check")
    parser.add_argument("--workspace", metavar="PATH", help="folder that files named by contracts must lie in, as in check")
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the NO_COLOR variable)")


def _rounds(text: str) -> int:
    return int(_number(text, 3, 1000, int))


def _tokens(text: str) -> int:
    return int(_number(text, 1, 1_000_000, int))


def _percent(text: str) -> float:
    return _number(text, 0, 1000, float)


def _number(text: str, low: int, high: int, kind: Callable[[str], float]) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:  # so it is for NaN
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from {low:,} to {high:,}")
    return number


def _add_contract(parser: argparse.ArgumentParser) -> None:
    parser.description = "Infer a first contract from a shader: names, bindings and shapes are filled in, the truth is left to you."
    parser.add_argument("file", metavar="FILE", help="the shader")
    target = parser.add_mutually_exclusive_group()
    target.add_argument("--write", action="store_true", help="put it into the head of FILE instead of printing it")
    target.add_argument("--sidecar", action="store_true", help="write it to NAME.contract.toml beside FILE")


def _add_rule(parser: argparse.ArgumentParser) -> None:
    parser.description = "Explain what a finding's code means, why it matters and what to do."
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("code", nargs="?", metavar="CODE", help="a code such as PX401, or a rule's name")
    which.add_argument("--all", action="store_true", help="list every rule")
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the NO_COLOR variable)")


def _add_trust(parser: argparse.ArgumentParser) -> None:
    parser.description = "Let the language server run the kernels and references of a folder and of everything below it."
    parser.epilog = "An editor that knows about trust decides by itself; this is for those that do not."
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("path", nargs="?", metavar="PATH", help="the folder")
    which.add_argument("--list", action="store_true", help="say which folders are trusted")
    parser.add_argument("--remove", action="store_true", help="trust the folder no longer")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = "Say what is installed, which adapters there are and what they get wrong, and how to mend what is missing."
    parser.add_argument("--format", choices=("text", "json"), default="text", help="form of the answer (default: text)")
    parser.add_argument("--python", metavar="PATH", help="interpreter for Python references to look at")
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the NO_COLOR variable)")


def _add_map(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show the map of a model in the browser: its tensors by layers and heads, down to single weights."
    parser.epilog = "Only this machine is answered, and only a browser that opened the address printed. Ends with Ctrl-C."
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("file", nargs="?", metavar="FILE", help="the model: .gguf or .pxi")
    which.add_argument("--model", metavar="NAME", help="a model of an installed package: smollm2")
    parser.add_argument("--port", type=_port, default=8789, metavar="N", help="0 takes a free one (default: 8789)")


def _port(text: str) -> int:
    return int(_number(text, 0, 65_535, int))


_CHECK_VERBS = {
    "check": ("run kernels and compare them with their contracts", _add_check),
    "bench": ("time kernels beside what the adapter can do at most", _add_bench),
    "contract": ("write the first contract of a shader", _add_contract),
    "rule": ("explain a finding's code", _add_rule),
    "trust": ("let editors run the kernels of a folder", _add_trust),
    "map": ("show a model's weights as a map, in the browser", _add_map),
    "doctor": ("say what is installed, what is missing, and how to mend it", _add_doctor),
}


def _run(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if arguments.verb == "check":
        from pathlib import Path

        from pixel_core.kernels.validate import CheckOptions
        from pixel_server.commands.check import CheckCommand, check

        options = CheckOptions(
            engine=arguments.engine,
            case=arguments.case,
            seed=arguments.seed,
            trusted=not arguments.untrusted,
            interpreter=Path(arguments.python) if arguments.python else None,
            workspace=Path(arguments.workspace) if arguments.workspace else None,
            jobs=arguments.jobs,
        )
        return check(
            CheckCommand(
                paths=arguments.paths,
                options=options,
                form=arguments.format,
                watch=arguments.watch,
                strict=arguments.strict,
                color=not arguments.no_color,
            )
        )
    if arguments.verb == "bench":
        return _bench(arguments)
    if arguments.verb == "contract":
        from pathlib import Path

        from pixel_server.commands.contract import contract

        return contract(Path(arguments.file), write=arguments.write, sidecar=arguments.sidecar)
    if arguments.verb == "rule":
        from pixel_server.commands.rule import rule

        return rule(arguments.code, color=not arguments.no_color)
    if arguments.verb == "trust":
        from pathlib import Path

        from pixel_server.commands.trust import trust

        return trust(Path(arguments.path) if arguments.path else None, remove=arguments.remove)
    if arguments.verb == "map":
        from pathlib import Path

        from pixel_server.commands.show_map import MapCommand, show_map

        return show_map(MapCommand(path=Path(arguments.file) if arguments.file else None, model=arguments.model, port=arguments.port))
    if arguments.verb == "doctor":
        from pathlib import Path

        from pixel_server.commands.doctor import doctor

        return doctor(
            Path(arguments.python) if arguments.python else None, as_json=arguments.format == "json", color=not arguments.no_color
        )
    if arguments.verb in model_verbs():
        return run_model_verb(arguments)
    if arguments.verb in WEIGHTS_VERBS:
        from pixel_server.run_weights_verb import run_weights_verb

        return run_weights_verb(arguments, parser)
    if arguments.verb == "fs":
        from pixel_server.run_fs_verb import run_fs_verb

        return run_fs_verb(arguments)
    if arguments.verb is not None:
        from pixel_server.run_coach_verb import run_coach_verb

        return run_coach_verb(arguments, build_parser)
    if arguments.coach:
        parser.error("--coach comes first: pixel-lsp --coach --phase ID")
    from pixel_server.serve import serve

    return serve(arguments.tcp)


def _bench(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    if len(arguments.paths) == 1 and Path(arguments.paths[0]).suffix in {".gguf", ".pxi"}:
        from pixel_server.commands.bench_model import BenchModelCommand, bench_model

        return bench_model(
            BenchModelCommand(
                path=Path(arguments.paths[0]),
                prompt_tokens=arguments.prompt_tokens,
                reply_tokens=arguments.reply_tokens,
                rounds=arguments.rounds,
                form=arguments.format,
                color=not arguments.no_color,
            )
        )
    from pixel_core.kernels.validate import CheckOptions
    from pixel_server.commands.bench import BenchCommand, bench

    def path(text: str | None) -> Path | None:
        return Path(text) if text else None

    return bench(
        BenchCommand(
            paths=arguments.paths,
            options=CheckOptions(seed=arguments.seed, interpreter=path(arguments.python), workspace=path(arguments.workspace)),
            kernel=arguments.kernel,
            cases=arguments.case,
            rounds=arguments.rounds,
            form=arguments.format,
            plot=path(arguments.plot),
            baseline=path(arguments.baseline),
            save=path(arguments.save_baseline),
            threshold=arguments.threshold / 100,
            color=not arguments.no_color,
        )
    )


def _spell_out_coach(argv: Sequence[str]) -> Sequence[str]:
    """`--coach …` is the verb `coach …`, so that its options need not be the whole program's."""
    return ("coach", *argv[1:]) if argv and argv[0] == "--coach" else argv


if __name__ == "__main__":
    sys.exit(main())
