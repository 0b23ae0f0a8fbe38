"""The coach's part of the command line: its verbs and their arguments. `run_coach_verb` hands over to their modules.

Loaded by `cli` at every start, so nothing but argparse is imported here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

# As in pixel_coach.tasks and pixel_coach.settings, which would cost a start-up; a test compares.
ACTIONS = ("write_file", "edit_file", "optimise_kernel", "repair_kernel", "write_contract", "write_tests", "review")
STATES = (
    "pending",
    "in_progress",
    "in_review",
    "awaiting_acceptance",
    "completed",
    "failed",
    "needs_human",
    "blocked",
    "cancelled",
)
SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")

Declare = Callable[[argparse.ArgumentParser], None]


def coach_verbs() -> Mapping[str, tuple[str, Declare]]:
    """The verbs, each with its one line of help and what declares its arguments."""
    return {
        "coach": ("work on queued tasks: a local model writes, the machine proves, Gemini reviews", _add_coach),
        "agents": ("say which models can be asked, and how to mend the others", _add_agents),
        "init": ("put the tasks of a phase into the queue", _add_init),
        "list-phases": ("list the phases there are", _add_list_phases),
        "status": ("how many tasks stand where", _add_status),
        "next": ("the task that a coach would take", _add_next),
        "list-tasks": ("list tasks", _add_list_tasks),
        "show-task": ("a task with its attempts, evidence and review", _add_show_task),
        "add": ("put a task into the queue", _add_add),
        "edit": ("change a task", _add_edit),
        "retry": ("put tasks back to work", _add_retry),
        "pause": ("keep tasks from being taken", _add_pause),
        "resume": ("let paused tasks be taken again", _add_resume),
        "cancel": ("give tasks up", _add_cancel),
        "accept": ("write a task's best attempt into its file", _add_accept),
        "reject": ("refuse what a task came to", _add_reject),
        "stats": ("what the coach's calls took, cost and saved", _add_stats),
        "dashboard": ("watch queue and coach in the terminal", _add_dashboard),
        "completion": ("print a script that lets a shell complete this command line", _add_completion),
    }


def _add_coach(parser: argparse.ArgumentParser) -> None:
    parser.description = "Work on queued tasks until none is left. Nothing is written to your files unless you accept it, or said --apply."
    parser.epilog = (
        "Exit codes: 0 every task worked on awaits acceptance or is completed, 1 some need a human or failed, "
        "2 nothing could be done, 130 Ctrl-C, 143 SIGTERM."
    )
    _workspace(parser)
    parser.add_argument("--phase", metavar="ID", help="only tasks of this phase")
    parser.add_argument("--task", type=positive_number, metavar="N", help="only this task")
    parser.add_argument("--max-tasks", type=positive_number, metavar="N", help="stop after so many tasks")
    parser.add_argument("--apply", action="store_true", help="write what is proved and reviewed at 8 or more, without asking")
    parser.add_argument("--format", choices=("text", "json", "jsonl"), default="text", help="form of the account (default: text)")
    _settings(parser)
    parser.add_argument("--no-review", action="store_true", help="send nothing to a reviewer; nothing is accepted by itself")
    parser.add_argument("--candidates", type=positive_number, metavar="N", help="texts for each round")
    parser.add_argument("--rounds", type=positive_number, metavar="N", help="rounds for each task at most")
    parser.add_argument("--dollars", type=amount, metavar="D", help="dollars for each task at most")
    parser.add_argument("--engine", choices=("auto", "device", "interpreter", "both"), help="what executes kernels, as in check")
    parser.add_argument("--python", metavar="PATH", help="interpreter for references and tests, as in check")
    _color(parser)


def _add_agents(parser: argparse.ArgumentParser) -> None:
    parser.description = "Say which models can be asked, which mode that makes, and how to mend what is missing."
    parser.epilog = "Exit codes: 0 something can write or review, 2 nothing can."
    _workspace(parser)
    consent = parser.add_mutually_exclusive_group()
    consent.add_argument("--allow-review", action="store_true", help="let tasks of this workspace be sent to the remote reviewer")
    consent.add_argument("--forbid-review", action="store_true", help="send nothing of this workspace any more")
    _settings(parser)
    _json_format(parser)
    _color(parser)


def _add_init(parser: argparse.ArgumentParser) -> None:
    parser.description = "Put the tasks of a phase into the queue. What is there already stays as it is."
    _workspace(parser)
    parser.add_argument("--phase", metavar="ID", required=True, help="id or alias of a phase, as list-phases says")
    _json_format(parser)


def _add_list_phases(parser: argparse.ArgumentParser) -> None:
    parser.description = "List the phases of the playbooks: the shipped ones, and those that settings name."
    _workspace(parser)
    _json_format(parser)
    _color(parser)


def _add_status(parser: argparse.ArgumentParser) -> None:
    parser.description = "Say how many tasks of a workspace stand where, by phase."
    _workspace(parser)
    _phase(parser)
    _json_format(parser)
    _color(parser)


def _add_next(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show the task that a coach would take now."
    parser.epilog = "Exit codes: 0 there is one, 1 there is none."
    _workspace(parser)
    _phase(parser)
    _json_format(parser)
    _color(parser)


def _add_list_tasks(parser: argparse.ArgumentParser) -> None:
    parser.description = "List tasks in the order in which a coach would take them."
    _workspace(parser)
    _phase(parser)
    parser.add_argument("--state", choices=STATES, action="append", help="only this state; may be said again for another")
    parser.add_argument("--target", metavar="PATH", help="only tasks of this file")
    parser.add_argument("--all-workspaces", action="store_true", help="tasks of every workspace")
    parser.add_argument("--limit", type=positive_number, metavar="N", default=100, help="at most so many (default: 100)")
    _json_format(parser)
    _color(parser)


def _add_show_task(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show a task: what is asked, what was tried, what was executed, what the reviewer said."
    _task(parser)
    parser.add_argument("--attempt", type=positive_number, metavar="K", help="only this attempt (default: all, and the best in full)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--code", action="store_true", help="print the attempt's text, and nothing else")
    form.add_argument("--diff", action="store_true", help="print the attempt as a unified diff against the file as it is")
    form.add_argument("--format", choices=("text", "json"), default="text", help="form of the answer (default: text)")
    _color(parser)


def _add_add(parser: argparse.ArgumentParser) -> None:
    parser.description = "Put a task into the queue, or every `TODO(coach): …` comment of some files."
    _workspace(parser)
    parser.add_argument("title", nargs="?", metavar="TITLE", help="one line that says what is to be done")
    parser.add_argument("--todo", nargs="+", metavar="PATH", help="instead of one task: a task for each TODO(coach) comment in these files")
    parser.add_argument("--target", metavar="PATH", help="the file concerned, inside the workspace")
    parser.add_argument("--action", choices=ACTIONS, help="what is to be done to it (default: edit_file where it exists, else write_file)")
    _task_options(parser)
    parser.add_argument("--phase", metavar="ID", help="phase that it belongs to")
    _json_format(parser)


def _add_edit(parser: argparse.ArgumentParser) -> None:
    parser.description = "Change a task, also while a coach runs: what it works on already stays, the rest counts from the next look."
    _task(parser)
    parser.add_argument("--title", metavar="TEXT", help="one line that says what is to be done")
    parser.add_argument("--target", metavar="PATH", help="the file concerned")
    parser.add_argument("--action", choices=ACTIONS, help="what is to be done to it")
    _task_options(parser)
    parser.add_argument("--before", type=positive_number, metavar="N", help="put it right before this task, with its priority")
    _json_format(parser)


def _add_retry(parser: argparse.ArgumentParser) -> None:
    parser.description = "Put tasks back to work. Their attempts are kept, and the next run learns from them."
    _tasks(parser)
    _json_format(parser)


def _add_pause(parser: argparse.ArgumentParser) -> None:
    parser.description = "Keep tasks from being taken. One that is being worked on goes on."
    _tasks(parser)
    _json_format(parser)


def _add_resume(parser: argparse.ArgumentParser) -> None:
    parser.description = "Let paused tasks be taken again."
    _tasks(parser)
    _json_format(parser)


def _add_cancel(parser: argparse.ArgumentParser) -> None:
    parser.description = "Give tasks up. A coach that works on one notices and leaves it; `retry` takes it up again."
    _tasks(parser)
    parser.add_argument("--reason", metavar="TEXT", default="", help="why")
    _json_format(parser)


def _add_accept(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write an attempt into the task's file and complete the task. A file that changed since is not overwritten."
    _task(parser)
    parser.add_argument("--attempt", type=positive_number, metavar="K", help="another attempt than the best one")
    _json_format(parser)


def _add_reject(parser: argparse.ArgumentParser) -> None:
    parser.description = "Refuse what a task came to. The file stays; the reason is told to the next run."
    parser.epilog = "The task then waits for you. With --retry it goes back to work at once."
    _task(parser)
    parser.add_argument("--reason", metavar="TEXT", required=True, help="what is wrong with it")
    parser.add_argument("--retry", action="store_true", help="put it back to work")
    _json_format(parser)


def _task_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--description", metavar="TEXT", help="the goal in words; - reads them from standard input")
    parser.add_argument("--contract", metavar="NAME", help="contract that the target must fulfil (default: every one that speaks of it)")
    parser.add_argument("--test-command", metavar="COMMAND", help="what proves it, run in the sandbox, such as 'pytest -q tests/test_a.py'")
    parser.add_argument("--priority", type=priority, metavar="1-10", help="10 comes first (default: 5)")
    parser.add_argument("--depends-on", type=positive_number, nargs="+", metavar="N", help="tasks that must be completed before")
    parser.add_argument("--agent", metavar="NAME", help="generator that is preferred for it")
    parser.add_argument("--rounds", type=positive_number, metavar="N", help="rounds at most")
    parser.add_argument("--dollars", type=amount, metavar="D", help="dollars at most")
    parser.add_argument("--seconds", type=amount, metavar="S", help="seconds at most")


def _add_stats(parser: argparse.ArgumentParser) -> None:
    parser.description = "Calls, tokens and cost by task and phase, success rate, and money saved against the reviewer writing everything."
    _workspace(parser)
    _phase(parser)
    _json_format(parser)
    _color(parser)


def _add_dashboard(parser: argparse.ArgumentParser) -> None:
    parser.description = "Watch queue and coach in the terminal, and accept, reject, retry, pause or cancel tasks."
    _workspace(parser)


def _add_completion(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print a script that lets a shell complete this command line."
    parser.epilog = 'bash: eval "$(pixel-lsp completion bash)"; fish: pixel-lsp completion fish > ~/.config/fish/completions/pixel-lsp.fish'
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def _workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workspace", metavar="PATH", help="root of the workspace (default: the project of the current folder)")


def _phase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--phase", metavar="ID", help="only this phase")


def _task(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", type=positive_number, metavar="TASK", help="its number")


def _tasks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tasks", type=positive_number, nargs="+", metavar="TASK", help="their numbers")


def _settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--generator", metavar="SERVICE[=MODEL]", help="what writes: ollama, llama.cpp, openai, embedded, pixel, scripted")
    parser.add_argument("--reviewer", metavar="SERVICE[=MODEL]", help="what reviews: gemini, gemini-cli, scripted")


def _json_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="form of the answer (default: text)")


def _color(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the NO_COLOR variable)")


def positive_number(text: str) -> int:
    """A number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


def priority(text: str) -> int:
    """A number from 1 to 10."""
    value = int(text)
    if not 1 <= value <= 10:
        raise argparse.ArgumentTypeError(f"{value} is not a number from 1 to 10")
    return value


def amount(text: str) -> float:
    """A number that is not negative."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0")
    return value
