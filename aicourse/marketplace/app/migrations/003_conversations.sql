-- Conversations with the support assistant. Orders, refunds and hand-overs are in the tables of `support`.
CREATE TABLE conversations (
    conversation_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    trajectory TEXT,                   -- JSON, after the last turn that ended
    said TEXT NOT NULL DEFAULT '',     -- in the turn that is under way, or that never ended
    busy_until_ns INTEGER NOT NULL DEFAULT 0,  -- a turn is under way; one that ends later is dropped
    problem TEXT,                      -- why the last turn has no reply
    handed_over TEXT,                  -- why a colleague goes on
    traces TEXT NOT NULL DEFAULT '[]', -- JSON: trace ids of the turns, where somebody traces
    began_ns INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL
);
CREATE INDEX conversations_of_customer ON conversations (customer_id, changed_ns);
CREATE INDEX conversations_by_change ON conversations (changed_ns);
