-- Feedback of sellers on a proposal: a row per thumb (explicit), a row per field of a published listing (implicit).
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY,
    trace_id TEXT,
    listing_id TEXT,
    seller_id TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('explicit', 'implicit')),
    thumb INTEGER CHECK (thumb IN (1, -1)),
    reason TEXT,
    text TEXT,
    field TEXT CHECK ((field IS NULL) = (kind = 'explicit')),
    proposed TEXT CHECK (proposed IS NULL OR json_valid(proposed)),  -- NULL: nothing was proposed; 'null': "not stated" was
    published TEXT CHECK (CASE kind WHEN 'explicit' THEN published IS NULL ELSE published IS NOT NULL AND json_valid(published) END),
    given_ns INTEGER NOT NULL
);
CREATE UNIQUE INDEX feedback_thumb ON feedback (trace_id, seller_id) WHERE kind = 'explicit';
CREATE UNIQUE INDEX feedback_field ON feedback (trace_id, field) WHERE kind = 'implicit';
CREATE INDEX feedback_time ON feedback (given_ns);

-- Fields of published listings that had been proposed in a trace; `changed`: the seller published another value.
CREATE VIEW proposed_fields AS
SELECT id, trace_id, listing_id, seller_id, field, proposed, published, proposed <> published AS changed, given_ns
FROM feedback WHERE kind = 'implicit' AND proposed IS NOT NULL AND trace_id IS NOT NULL;

-- Verdicts of annotators on proposed values; `probability` is the trace's chance to be in its sample.
CREATE TABLE annotations (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    annotator TEXT NOT NULL,
    field TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('right', 'wrong', 'unsure')),
    gold TEXT CHECK (CASE verdict WHEN 'unsure' THEN gold IS NULL ELSE gold IS NOT NULL AND json_valid(gold) END),
    note TEXT,
    probability REAL NOT NULL CHECK (probability > 0 AND probability <= 1),
    sampler TEXT NOT NULL,
    annotated_ns INTEGER NOT NULL,
    UNIQUE (trace_id, annotator, field, sampler)
);
