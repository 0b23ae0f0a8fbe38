"""The dashboard as a Textual app: it looks at the queue and at the log of the run, and lets a person decide.

It shares nothing with a coach but those two, so it may be opened and closed at any time, and works without one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import DataTable, Footer, Static

from pixel_coach.accept import accept, best_attempt
from pixel_coach.attempts import Attempt
from pixel_coach.errors import CoachError
from pixel_coach.reject import reject
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Store
from pixel_coach.tasks import WORKING, State, Task
from pixel_server.dashboard.ask import AskReason, Confirm
from pixel_server.dashboard.follow_run import RunFollower, RunView
from pixel_server.dashboard.read_snapshot import Snapshot, read_attempts, read_snapshot
from pixel_server.dashboard.render import hang, render_cost, render_diff, render_proof, render_where
from pixel_server.terminal.medium import Medium
from pixel_server.terminal.render_tasks import STATE_STYLES, render_task

TICK_S: Final = 0.5
"""How often queue and log are looked at; both looks cost little when nothing changed."""


class Dashboard(App[None]):
    """Queue and coach of a workspace.

    Args:
        queue: The queue's database.
        runs: Folder of the runs' logs.
        workspace: Root of the workspace.
        settings: Those in force.
    """

    TITLE = "pixel-lsp"
    CSS_PATH = "dashboard.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        ("d", "toggle_diff", "diff"),
        ("a", "accept", "accept"),
        ("x", "reject", "reject"),
        ("t", "retry", "retry"),
        ("p", "pause", "pause/resume"),
        ("c", "cancel", "cancel"),
        ("f", "toggle_filter", "all/mine"),
        ("q", "quit", "quit"),
    ]

    def __init__(self, *, queue: Path, runs: Path, workspace: Path, settings: CoachSettings) -> None:
        super().__init__()
        self._workspace = workspace
        self._settings = settings
        self._medium = Medium(width=100)
        self._store = Store(queue)
        self._follower = RunFollower(runs)
        self._snapshot: Snapshot | None = None
        self._view: RunView | None = None
        self._attempts: Sequence[Attempt] = ()
        self._only_mine = False
        self._shows_diff = False

    def compose(self) -> ComposeResult:
        """The widgets."""
        yield Static(id="where")
        with Horizontal(id="columns"):
            yield DataTable[Text](id="queue", cursor_type="row", zebra_stripes=True)
            with Vertical(id="right"):
                with VerticalScroll(id="task", can_focus=False):
                    yield Static(id="task-text")
                with VerticalScroll(id="now"):
                    yield Static(id="now-text")
                with VerticalScroll(id="proof"):
                    yield Static(id="proof-text")
        yield Static(id="cost")
        yield Footer()

    def on_mount(self) -> None:
        """Fill everything, and begin to look."""
        table = self._table
        table.add_columns("", "state", "pr", "title")
        table.border_title = "queue"
        table.focus()
        self.refresh_all()
        self.set_interval(TICK_S, self.look)

    def on_unmount(self) -> None:
        """Give the queue back."""
        self._store.close()

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one("#queue", DataTable)

    @property
    def selected(self) -> Task | None:
        """The task under the cursor."""
        if self._snapshot is None or not self._snapshot.tasks:
            return None
        row = self._table.cursor_row
        return self._snapshot.tasks[row] if 0 <= row < len(self._snapshot.tasks) else None

    def on_data_table_row_highlighted(self, _: DataTable.RowHighlighted) -> None:
        """Another task is looked at."""
        self._show_task()

    def look(self) -> None:
        """Look at queue and log; done twice a second."""
        if not self.query("#queue"):
            return  # the window is about to close
        try:
            if self._snapshot is None or self._store.version() != self._snapshot.version:
                self.refresh_all()
            else:
                self._show_run()
        except CoachError as problem:
            self.notify(problem.message, severity="error")

    def refresh_all(self) -> None:
        """Look at the queue anew; the cursor stays on its task."""
        before = self.selected
        self._snapshot = read_snapshot(self._store, self._workspace, only_mine=self._only_mine)
        table = self._table
        table.clear()
        for task in self._snapshot.tasks:
            style = STATE_STYLES[task.state]
            state = Text(f"{task.state.value}{' (paused)' if task.is_paused else ''}", style)
            table.add_row(Text(str(task.number), "bold"), state, Text(str(task.priority)), Text(self._medium.printable(task.title)))
        numbers = [task.number for task in self._snapshot.tasks]
        if before is not None and before.number in numbers:
            table.move_cursor(row=numbers.index(before.number))
        self._show_task()

    def _show_task(self) -> None:
        task = self.selected
        self._attempts = () if task is None else read_attempts(self._store, task.number)
        waiting = self._store.explain_waiting(task.number) if task is not None and task.state is State.PENDING else ""
        pane = self.query_one("#task", VerticalScroll)
        pane.border_title = "task" if task is None else f"task {task.number}"
        empty = Text("nothing needs you" if self._only_mine else "the queue is empty: pixel-lsp init --phase 1_gpu_core", "dim")
        facts = empty if task is None else render_task(task, waiting, self._medium, with_workspace=False)
        self.query_one("#task-text", Static).update(hang(facts))
        self._show_run()

    def _show_run(self) -> None:
        """What is being done, and what the selected task has come to."""
        snapshot, task = self._snapshot, self.selected
        if snapshot is None:
            return
        of_task = snapshot.runs.get(task.number) if task is not None else None
        self._view = self._follower.look(of_task or next(iter(snapshot.runs.values()), None) or self._last_run())
        is_running = self._view is not None and self._view.run in snapshot.runs.values()
        self.query_one("#where", Static).update(render_where(self._workspace, self._view, self._medium, is_running=is_running))
        self.query_one("#cost", Static).update(render_cost(snapshot, self._settings, self._view))
        is_now = is_running and self._view is not None and (task is None or self._view.task == task.number)
        now = self.query_one("#now", VerticalScroll)
        now.display = is_now
        if is_now and self._view is not None:
            iteration = f"round {self._view.round}/{self._view.rounds}: " if self._view.round else ""
            now.border_title = f"{iteration}{self._view.doing}"
            self.query_one("#now-text", Static).update(Text(self._medium.printable(self._view.text) or "…"))
            now.scroll_end(animate=False)
        self._show_proof(task, self._view if is_now else None)

    def _last_run(self) -> str | None:
        """The run that began last, unless it worked elsewhere."""
        run = self._follower.newest()
        view = self._follower.look(run)
        if view is None or view.task is None:
            return None
        try:
            return run if self._store.get(view.task).workspace == self._workspace else None
        except CoachError:
            return None

    def _show_proof(self, task: Task | None, view: RunView | None) -> None:
        pane = self.query_one("#proof", VerticalScroll)
        attempt = best_attempt(self._attempts) or (self._attempts[-1] if self._attempts else None)
        pane.border_title = "diff" if self._shows_diff else "evidence and review"
        if self._shows_diff and task is not None:
            text = render_diff(task, attempt, self._medium)
        else:
            text = render_proof(self._attempts, attempt, view, self._medium)
        self.query_one("#proof-text", Static).update(hang(text))

    def action_toggle_diff(self) -> None:
        """Show the best attempt as a diff, or the evidence."""
        self._shows_diff = not self._shows_diff
        self._show_run()

    def action_toggle_filter(self) -> None:
        """Show all tasks, or those that need a person."""
        self._only_mine = not self._only_mine
        self.refresh_all()

    def action_accept(self) -> None:
        """Ask, then write the best attempt."""
        task = self.selected
        if task is None:
            return

        def answer(is_yes: bool | None) -> None:
            if is_yes:
                self._do(lambda: accept(self._store, task.number, protected=self._settings.protected), f"wrote {task.target}")

        self.push_screen(Confirm(f"Accept task {task.number} and write {self._medium.printable(task.target)}?"), answer)

    def action_reject(self) -> None:
        """Ask for a reason, then refuse."""
        task = self.selected
        if task is None:
            return

        def answer(reason: str | None) -> None:
            if reason:
                self._do(lambda: reject(self._store, task.number, reason, retry=False), f"task {task.number} is rejected")

        self.push_screen(AskReason(f"Reject task {task.number}: {self._medium.printable(task.title)}"), answer)

    def action_retry(self) -> None:
        """Put the task back to work."""
        task = self.selected
        if task is not None:
            self._do(lambda: self._store.change_state(task.number, State.PENDING), f"task {task.number} is pending again")

    def action_pause(self) -> None:
        """Pause the task, or let it go on."""
        task = self.selected
        if task is None:
            return
        if task.is_paused:
            self._do(lambda: self._store.resume(task.number), f"task {task.number} can be taken again")
        else:
            self._do(lambda: self._store.pause(task.number), f"task {task.number} is paused")

    def action_cancel(self) -> None:
        """Ask, then give the task up."""
        task = self.selected
        if task is None:
            return
        takes_away = ", and take it away from the coach that works on it" if task.state in WORKING else ""

        def answer(is_yes: bool | None) -> None:
            if is_yes:
                self._do(lambda: self._store.change_state(task.number, State.CANCELLED), f"task {task.number} is cancelled")

        self.push_screen(Confirm(f"Cancel task {task.number}{takes_away}?"), answer)

    def _do(self, change: Callable[[], object], said: str) -> None:
        """Make a change and tell what came of it."""
        try:
            change()
        except CoachError as problem:
            self.notify(problem.message + (f" ({problem.hint})" if problem.hint else ""), severity="error", markup=False)
        except OSError as problem:
            self.notify(f"it cannot be written: {problem.strerror or problem}", severity="error", markup=False)
        else:
            self.notify(said, markup=False)
        self.refresh_all()
