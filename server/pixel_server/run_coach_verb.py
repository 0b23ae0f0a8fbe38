"""From the coach's command line, already read, to the module of the verb."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixel_coach.read_settings import Overrides
    from pixel_server.task_fields import TaskFields


def run_coach_verb(arguments: argparse.Namespace, build_parser: Callable[[], argparse.ArgumentParser]) -> int:
    """Hand over to the module of a verb of `cli_coach`. Each import stands in its branch, since what one verb needs is slow to load.

    Args:
        arguments: What was read from the command line.
        build_parser: Gives the whole command line, for `completion`.

    Raises:
        PixelError: As the verb says.
    """
    as_json = getattr(arguments, "format", None) == "json"
    color = not getattr(arguments, "no_color", False)
    match arguments.verb:
        case "coach":
            from pixel_server.commands.coach import CoachCommand, coach

            command = CoachCommand(
                workspace=arguments.workspace,
                phase=arguments.phase,
                task=arguments.task,
                max_tasks=arguments.max_tasks,
                apply=arguments.apply,
                form=arguments.format,
                overrides=_overrides(arguments),
                color=color,
            )
            return coach(command)
        case "agents":
            from pixel_server.commands.agents import agents

            consent = True if arguments.allow_review else False if arguments.forbid_review else None
            return agents(_overrides(arguments), workspace=arguments.workspace, allow_review=consent, as_json=as_json, color=color)
        case "init":
            from pixel_server.commands.init import init

            return init(arguments.phase, workspace=arguments.workspace, as_json=as_json)
        case "list-phases":
            from pixel_server.commands.list_phases import list_phases

            return list_phases(workspace=arguments.workspace, as_json=as_json, color=color)
        case "status":
            from pixel_server.commands.status import status

            return status(workspace=arguments.workspace, phase=arguments.phase, as_json=as_json, color=color)
        case "next":
            from pixel_server.commands.next_task import next_task

            return next_task(workspace=arguments.workspace, phase=arguments.phase, as_json=as_json, color=color)
        case "stats":
            from pixel_server.commands.stats import stats

            return stats(workspace=arguments.workspace, phase=arguments.phase, as_json=as_json, color=color)
        case "dashboard":
            from pixel_server.commands.dashboard import dashboard

            return dashboard(workspace=arguments.workspace)
        case "completion":
            from pixel_server.commands.completion import completion

            return completion(build_parser(), arguments.shell)
        case _:
            return _run_task_verb(arguments, as_json=as_json, color=color)


def _run_task_verb(arguments: argparse.Namespace, *, as_json: bool, color: bool) -> int:
    match arguments.verb:
        case "list-tasks":
            from pixel_coach.tasks import State
            from pixel_server.commands.list_tasks import TaskFilter, list_tasks

            wanted = TaskFilter(
                workspace=arguments.workspace,
                all_workspaces=arguments.all_workspaces,
                phase=arguments.phase,
                states=tuple(State(state) for state in arguments.state or ()),
                target=arguments.target,
                limit=arguments.limit,
            )
            return list_tasks(wanted, as_json=as_json, color=color)
        case "show-task":
            from pixel_server.commands.show_task import show_task

            form = "code" if arguments.code else "diff" if arguments.diff else arguments.format
            return show_task(arguments.task, attempt_number=arguments.attempt, form=form, color=color)
        case "add":
            from pixel_server.commands.add import add

            return add(
                _task_fields(arguments),
                workspace=arguments.workspace,
                phase=arguments.phase,
                todo=arguments.todo or (),
                as_json=as_json,
            )
        case "edit":
            from pixel_server.commands.edit import edit

            return edit(arguments.task, _task_fields(arguments), before=arguments.before, as_json=as_json)
        case "accept":
            from pixel_server.commands.accept import accept

            return accept(arguments.task, attempt_number=arguments.attempt, as_json=as_json)
        case "reject":
            from pixel_server.commands.reject import reject

            return reject(arguments.task, arguments.reason, retry=arguments.retry, as_json=as_json)
        case _:
            from pixel_server.commands.move_tasks import move_tasks

            return move_tasks(arguments.verb, arguments.tasks, reason=getattr(arguments, "reason", ""), as_json=as_json)


def _overrides(arguments: argparse.Namespace) -> Overrides:
    from pathlib import Path

    from pixel_coach.read_settings import Overrides

    said = vars(arguments)
    return Overrides(
        generator=arguments.generator,
        reviewer=arguments.reviewer,
        is_review_wanted=False if said.get("no_review") else None,
        candidates=said.get("candidates"),
        rounds=said.get("rounds"),
        dollars=said.get("dollars"),
        engine=said.get("engine"),
        python=Path(said["python"]).absolute() if said.get("python") else None,
    )


def _task_fields(arguments: argparse.Namespace) -> TaskFields:
    import sys

    from pixel_server.task_fields import TaskFields

    description = sys.stdin.read() if arguments.description == "-" else arguments.description
    return TaskFields(
        title=arguments.title,
        target=arguments.target,
        action=arguments.action,
        description=description,
        contract=arguments.contract,
        test_command=arguments.test_command,
        priority=arguments.priority,
        depends_on=arguments.depends_on,
        agent=arguments.agent,
        rounds=arguments.rounds,
        dollars=arguments.dollars,
        seconds=arguments.seconds,
    )
