-- The ledger: every request to a model, reserved before it is made and settled after. Money is counted in whole nanodollars.

CREATE TABLE calls (
    id              INTEGER PRIMARY KEY,
    workspace       INTEGER NOT NULL REFERENCES workspaces (id),
    task            INTEGER REFERENCES tasks (number),   -- none for a review that a person asked for in the editor
    run             INTEGER NOT NULL,
    purpose         TEXT    NOT NULL CHECK (purpose IN ('generate', 'review')),
    agent           TEXT    NOT NULL,
    model           TEXT    NOT NULL,
    price           TEXT    NOT NULL,                    -- the model whose price it was counted by; empty for a free one
    state           TEXT    NOT NULL CHECK (state IN ('reserved', 'settled', 'released')),
    nanodollars     INTEGER NOT NULL,                    -- at most while reserved, real once settled
    prompt_tokens   INTEGER NOT NULL DEFAULT 0,
    reply_tokens    INTEGER NOT NULL DEFAULT 0,
    thinking_tokens INTEGER NOT NULL DEFAULT 0,
    cached_tokens   INTEGER NOT NULL DEFAULT 0,
    seconds         REAL    NOT NULL DEFAULT 0,
    is_exact        INTEGER NOT NULL DEFAULT 1,
    day             TEXT    NOT NULL,                    -- on which quotas count it
    made_at         REAL    NOT NULL
);

-- A request that was reserved and never settled may have been billed: it counts. One that was released does not.
CREATE INDEX calls_of_task ON calls (task, id, purpose, nanodollars) WHERE state <> 'released';
CREATE INDEX calls_of_day ON calls (day, purpose, model, made_at, nanodollars) WHERE state <> 'released';
CREATE INDEX calls_of_workspace ON calls (workspace, task) WHERE state <> 'released';
CREATE INDEX calls_by_time ON calls (made_at, nanodollars) WHERE state <> 'released';

CREATE TABLE exhausted_quotas (
    agent  TEXT NOT NULL,
    model  TEXT NOT NULL,
    until  REAL NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (agent, model)
) WITHOUT ROWID;
