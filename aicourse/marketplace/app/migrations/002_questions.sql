-- Questions to the help centre and what came of them. A question whose time is over has failed, whatever its state.
CREATE TABLE questions (
    question_id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL,
    question TEXT NOT NULL,  -- without keys and private data
    alike TEXT NOT NULL,     -- the same in questions of the same words
    state TEXT NOT NULL DEFAULT 'working' CHECK (state IN ('working', 'answered', 'abstained', 'failed')),
    why TEXT,                -- there is no answer
    answer TEXT NOT NULL DEFAULT '',
    quote TEXT,
    document TEXT,           -- that is cited; without an answer, the nearest
    start INTEGER,           -- of the quotation, in characters of the article
    "end" INTEGER,
    nearest TEXT NOT NULL DEFAULT '[]',  -- JSON: documents
    trace_id TEXT NOT NULL,  -- under which thumbs are kept: the question's own id where nobody traces
    asked_ns INTEGER NOT NULL,
    deadline_ns INTEGER NOT NULL,
    finished_ns INTEGER,
    CHECK (state != 'answered' OR (why IS NULL AND quote IS NOT NULL AND document IS NOT NULL)),
    CHECK (state NOT IN ('abstained', 'failed') OR why IS NOT NULL)
);
CREATE INDEX questions_of_person ON questions (person_id, asked_ns);
CREATE INDEX questions_without_answer ON questions (alike, asked_ns) WHERE state = 'abstained';
