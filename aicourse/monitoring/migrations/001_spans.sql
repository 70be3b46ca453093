-- Spans, scores and what was dropped. Times are Unix nanoseconds (UTC), money is in US dollars.
CREATE TABLE spans (
    span_id TEXT PRIMARY KEY,
    trace_id TEXT NOT NULL,
    parent_id TEXT,
    name TEXT NOT NULL,
    started_ns INTEGER NOT NULL,
    seconds REAL NOT NULL,           -- when the model answered, also where the reply was replayed
    status TEXT NOT NULL CHECK (status IN ('ok', 'error')),
    error_type TEXT,
    operation TEXT,                  -- gen_ai.operation.name
    model TEXT,
    prompt TEXT,
    prompt_version TEXT,
    prompt_hash TEXT,
    input_tokens INTEGER,            -- cached ones included
    cached_tokens INTEGER,
    output_tokens INTEGER,
    cost_usd REAL,                   -- NULL: unknown
    client TEXT,                     -- version of the seller's app
    category TEXT,                   -- what was proposed
    experiment TEXT,
    variant TEXT,
    valid INTEGER,                   -- 1: the reply fitted the schema
    empty_fields INTEGER,
    attributes TEXT NOT NULL,        -- JSON, redacted
    events TEXT NOT NULL             -- JSON, redacted
);
CREATE INDEX spans_by_time ON spans (started_ns, span_id);
CREATE INDEX spans_of_roots ON spans (started_ns, span_id) WHERE parent_id IS NULL;
CREATE INDEX spans_by_prompt ON spans (prompt, prompt_version, started_ns);
CREATE INDEX spans_by_trace ON spans (trace_id, started_ns);

CREATE TABLE scores (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value REAL,
    label TEXT,
    source TEXT NOT NULL CHECK (source IN ('user', 'annotator', 'judge', 'rule')),
    explanation TEXT,
    scored_ns INTEGER NOT NULL
);
CREATE INDEX scores_by_trace ON scores (trace_id, name);
CREATE INDEX scores_by_name ON scores (name, scored_ns);
CREATE INDEX scores_by_time ON scores (scored_ns);

CREATE TABLE dropped (
    reason TEXT PRIMARY KEY,
    spans INTEGER NOT NULL
);
