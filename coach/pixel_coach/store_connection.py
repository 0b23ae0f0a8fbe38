"""One connection to the queue's database: opening, migrating, transactions, and every failure of SQLite as one sentence.

Durability: write-ahead log with `synchronous = FULL`, so what was committed survives `kill -9` and a loss of power.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pixel_coach.errors import QueueError

APPLICATION_ID: Final = 0x50_58_4C_51
"""`PXLQ`: tells our database from another program's."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"

_OUTER: Final = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_INNER: Final = ("SAVEPOINT inner_call", "RELEASE inner_call", ("ROLLBACK TO inner_call", "RELEASE inner_call"))

Row = tuple[Any, ...]


class Connection:
    """A connection of one thread. Several processes may have one each.

    Args:
        path: The database; it and its folder are made where they are missing, for the user alone.
        timeout_s: How long to wait for another process's transaction.

    Raises:
        QueueError: It cannot be opened, is not ours, or is of a newer version.
    """

    def __init__(self, path: Path, *, timeout_s: float = 15.0) -> None:
        self.path = path
        self._timeout_s = timeout_s
        self._depth = 0
        try:
            _make_private(path)
        except OSError as error:
            raise QueueError(
                f"the queue {path} cannot be opened: {error.strerror or error}",
                hint="make its folder writable, or point XDG_STATE_HOME at a folder that is",
            ) from error
        with self._explained():
            self._connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None)
        try:
            with self._explained():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Give the connection back; a transaction that is open is undone."""
        self._connection.close()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Every row that a query gives. One statement sees one state of the queue.

        Raises:
            QueueError: The database failed.
        """
        with self._explained():
            return self._connection.execute(sql, parameters).fetchall()

    def read_one(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """The first row that a query gives; None where there is none.

        Raises:
            QueueError: The database failed.
        """
        with self._explained():
            return self._connection.execute(sql, parameters).fetchone()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement inside `write`.

        Raises:
            QueueError: The database failed.
        """
        with self._explained():
            return self._connection.execute(sql, parameters)

    @contextmanager
    def write(self, *, is_visible: bool = True) -> Generator[None]:
        """A transaction that holds the write lock from its first moment. Inside another one it is part of that.

        Args:
            is_visible: Whether the change is one that editors and dashboards should notice.

        Raises:
            QueueError: The database failed; then nothing of the block happened.
        """
        # Inside another transaction a savepoint, so that a call that failed leaves nothing to one that goes on.
        begin, end, undo = _OUTER if not self._depth else _INNER
        self.execute(begin)
        self._depth += 1
        try:
            yield
            if is_visible:
                self.count_change()
            self.execute(end)
        except BaseException:
            # Some failures, such as a full disk, have already rolled back.
            if self._connection.in_transaction:
                for statement in undo:
                    self._connection.execute(statement)
            raise
        finally:
            self._depth -= 1

    def count_change(self) -> None:
        """Let editors and dashboards notice the transaction that is open."""
        self.execute("UPDATE queue_version SET version = version + 1")

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA foreign_keys = ON")
        execute("PRAGMA synchronous = FULL")
        application, version = execute("PRAGMA application_id").fetchone()[0], _user_version(self._connection)
        if application != APPLICATION_ID and (version or execute("SELECT count(*) FROM sqlite_master").fetchone()[0]):
            raise QueueError(f"{self.path} is the database of another program", hint="move it away; the queue is then made anew")
        self._use_write_ahead_log()
        migrations = sorted(_MIGRATIONS.glob("*.sql"))
        if version > len(migrations):
            raise QueueError(
                f"the queue {self.path} was written by a newer pixel-lsp (schema {version}, this one knows {len(migrations)})",
                hint="upgrade with `pip install --upgrade pixel-lsp`",
            )
        for number, migration in enumerate(migrations[version:], start=version + 1):
            self._migrate(number, migration.read_text(encoding="utf-8"))

    def _use_write_ahead_log(self) -> None:
        """Switch the journal. SQLite does not wait for others here, so we do."""
        deadline = time.monotonic() + self._timeout_s
        while not self._switches_journal():
            if time.monotonic() > deadline:
                raise sqlite3.OperationalError("database is locked")
            time.sleep(0.01)

    def _switches_journal(self) -> bool:
        """Ask for the write-ahead log; a file system without shared memory keeps its rollback journal, as safe and slower."""
        try:
            if self._connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                self._connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                return False
            raise
        return True

    def _migrate(self, number: int, script: str) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been quicker.
            if _user_version(self._connection) < number:
                for statement in _statements(script):
                    execute(statement)
                execute(f"PRAGMA application_id = {APPLICATION_ID}")
                execute(f"PRAGMA user_version = {number}")
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explain_failure(self.path, error) from error


def explain_failure(path: Path, error: sqlite3.Error) -> QueueError:
    """What a failure of SQLite means for the user.

    Args:
        path: The database.
        error: As sqlite3 raised it. Its text is looked at, since its code is known from Python 3.11 on only.
    """
    text = str(error)
    for part, message, hint in _FAILURES:
        if part in text:
            return QueueError(message.format(path=path), hint=hint)
    return QueueError(f"the queue {path} failed: {text}", hint="`pixel-lsp doctor` looks at the folder that it is in")


_FAILURES: Final = (
    (
        "disk is full",
        "the disk that holds the queue {path} is full",
        "free some space and repeat the command; nothing that was stored is lost",
    ),
    (
        "disk I/O error",
        "the disk that holds the queue {path} cannot be read or written",
        "look at its free space and its health; nothing that was stored before is lost",
    ),
    (
        "readonly database",
        "the queue {path} cannot be written",
        "make it and its folder writable, or point XDG_STATE_HOME at a folder that is",
    ),
    (
        "unable to open database file",
        "the queue {path} cannot be opened",
        "make it and its folder writable, or point XDG_STATE_HOME at a folder that is",
    ),
    ("not a database", "the queue {path} is damaged: it is not a database", "move it away, and the queue is made anew"),
    (
        "malformed",
        "the queue {path} is damaged",
        "save what can be saved with `sqlite3 OLD .recover | sqlite3 NEW`, or move it away, and the queue is made anew",
    ),
    (
        "locking protocol",
        "the file system of the queue {path} does not lock files",
        "point XDG_STATE_HOME at a folder on a local disk",
    ),
    (
        "database is locked",
        "another process has kept the queue {path} locked for too long",
        "end that process, or wait, and repeat the command",
    ),
)


def _make_private(path: Path) -> None:
    """The file, readable by nobody else: it holds source texts. Its write-ahead log takes over its permissions."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _user_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """Cut a script; `executescript` would commit before it begins."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
