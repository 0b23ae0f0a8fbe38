-- The queue: workspaces, tasks, what they wait for, their attempts.
-- A user's texts stay for ever: nothing here is ever deleted but dependencies, which a person may edit.

CREATE TABLE workspaces (
    id            INTEGER PRIMARY KEY,
    path          BLOB    NOT NULL UNIQUE,           -- as the file system spells it, which need not be UTF-8
    allows_review INTEGER NOT NULL DEFAULT 0         -- whether its texts may go to a remote reviewer
);

CREATE TABLE tasks (
    number           INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused
    workspace        INTEGER NOT NULL REFERENCES workspaces (id),
    phase            TEXT,
    key              TEXT,
    title            TEXT    NOT NULL,
    action           TEXT    NOT NULL,
    target           TEXT    NOT NULL,
    description      TEXT    NOT NULL,
    contract         TEXT,
    test_command     TEXT    NOT NULL,               -- JSON, as limits and metadata
    priority         INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 10),
    limits           TEXT    NOT NULL,
    agent            TEXT,
    metadata         TEXT    NOT NULL,
    state            TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN (
                         'pending', 'in_progress', 'in_review', 'awaiting_acceptance', 'completed', 'failed',
                         'needs_human', 'blocked', 'cancelled')),
    is_paused        INTEGER NOT NULL DEFAULT 0,
    position         REAL    NOT NULL,
    reason           TEXT    NOT NULL DEFAULT '',
    created_at       REAL    NOT NULL,
    updated_at       REAL    NOT NULL,
    unmet            INTEGER NOT NULL DEFAULT 0,     -- how many of its dependencies are not completed; kept by triggers
    run              INTEGER NOT NULL DEFAULT 0,     -- how often it was handed out
    charged_after    INTEGER NOT NULL DEFAULT 0,     -- the last request before a person put it back; limits count those after it
    abandoned        INTEGER NOT NULL DEFAULT 0,     -- leases in a row that nobody gave back
    lease_owner      TEXT,
    lease_expires_at REAL,
    CHECK ((state IN ('in_progress', 'in_review')) = (lease_owner IS NOT NULL)),
    CHECK ((lease_owner IS NULL) = (lease_expires_at IS NULL))
);

CREATE UNIQUE INDEX tasks_by_key ON tasks (workspace, ifnull(phase, ''), key) WHERE key IS NOT NULL;
-- Handing out reads the first entry of one of these two, however many tasks there are.
CREATE INDEX tasks_ready ON tasks (workspace, priority DESC, position, number)
    WHERE state = 'pending' AND is_paused = 0 AND unmet = 0;
CREATE INDEX tasks_ready_of_phase ON tasks (workspace, phase, priority DESC, position, number)
    WHERE state = 'pending' AND is_paused = 0 AND unmet = 0;
CREATE INDEX tasks_leased ON tasks (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
CREATE INDEX tasks_in_order ON tasks (workspace, priority DESC, position, number);
CREATE INDEX tasks_of_state ON tasks (workspace, state, priority DESC, position, number);
CREATE INDEX tasks_of_phase ON tasks (workspace, phase, priority DESC, position, number) WHERE phase IS NOT NULL;
CREATE INDEX tasks_of_target ON tasks (workspace, target, priority DESC, position, number);

CREATE TABLE dependencies (
    task  INTEGER NOT NULL REFERENCES tasks (number),
    needs INTEGER NOT NULL REFERENCES tasks (number),
    PRIMARY KEY (task, needs),
    CHECK (task <> needs)
) WITHOUT ROWID;

CREATE INDEX dependents ON dependencies (needs, task);

CREATE TRIGGER dependency_added AFTER INSERT ON dependencies
WHEN (SELECT state FROM tasks WHERE number = NEW.needs) <> 'completed'
BEGIN
    UPDATE tasks SET unmet = unmet + 1 WHERE number = NEW.task;
END;

CREATE TRIGGER dependency_removed AFTER DELETE ON dependencies
WHEN (SELECT state FROM tasks WHERE number = OLD.needs) <> 'completed'
BEGIN
    UPDATE tasks SET unmet = unmet - 1 WHERE number = OLD.task;
END;

CREATE TRIGGER dependency_met AFTER UPDATE OF state ON tasks
WHEN NEW.state = 'completed' AND OLD.state <> 'completed'
BEGIN
    UPDATE tasks SET unmet = unmet - 1 WHERE number IN (SELECT task FROM dependencies WHERE needs = NEW.number);
END;

-- How many tasks are in which state, so that a status needs no walk over them.
CREATE TABLE state_counts (
    workspace INTEGER NOT NULL,
    phase     TEXT    NOT NULL,                      -- empty for tasks of their own
    state     TEXT    NOT NULL,
    tasks     INTEGER NOT NULL,
    PRIMARY KEY (workspace, phase, state)
) WITHOUT ROWID;

CREATE TRIGGER task_counted AFTER INSERT ON tasks
BEGIN
    INSERT INTO state_counts VALUES (NEW.workspace, ifnull(NEW.phase, ''), NEW.state, 1)
        ON CONFLICT (workspace, phase, state) DO UPDATE SET tasks = tasks + 1;
END;

CREATE TRIGGER task_recounted AFTER UPDATE OF state, phase ON tasks
WHEN NEW.state <> OLD.state OR NEW.phase IS NOT OLD.phase
BEGIN
    UPDATE state_counts SET tasks = tasks - 1 WHERE workspace = OLD.workspace AND phase = ifnull(OLD.phase, '') AND state = OLD.state;
    INSERT INTO state_counts VALUES (NEW.workspace, ifnull(NEW.phase, ''), NEW.state, 1)
        ON CONFLICT (workspace, phase, state) DO UPDATE SET tasks = tasks + 1;
END;

CREATE TABLE attempts (
    number             INTEGER PRIMARY KEY AUTOINCREMENT,
    task               INTEGER NOT NULL REFERENCES tasks (number),
    run                INTEGER NOT NULL,
    round              INTEGER NOT NULL,
    candidate          INTEGER NOT NULL,
    agent              TEXT    NOT NULL,
    model              TEXT    NOT NULL,
    patch              TEXT,                          -- JSON, as the three below
    reply              TEXT    NOT NULL,
    evidence           TEXT,
    review             TEXT,
    review_unavailable TEXT,
    is_best            INTEGER NOT NULL DEFAULT 0,
    created_at         REAL    NOT NULL
);

CREATE INDEX attempts_of_task ON attempts (task, number);

CREATE TABLE dismissals (
    workspace   INTEGER NOT NULL REFERENCES workspaces (id),
    fingerprint TEXT    NOT NULL,
    PRIMARY KEY (workspace, fingerprint)
) WITHOUT ROWID;

CREATE TABLE queue_version (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version  INTEGER NOT NULL
);

INSERT INTO queue_version VALUES (1, 1);
