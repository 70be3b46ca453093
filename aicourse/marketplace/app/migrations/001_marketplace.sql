-- Sellers and what they sell. A listing is a draft until its seller publishes it.

CREATE TABLE sellers (
    seller_id TEXT PRIMARY KEY,
    name TEXT NOT NULL DEFAULT '',
    created_ns INTEGER NOT NULL
);

CREATE TABLE listings (
    number INTEGER PRIMARY KEY,
    listing_id TEXT NOT NULL UNIQUE,
    seller_id TEXT NOT NULL REFERENCES sellers,
    form_key TEXT NOT NULL,  -- of the form that was sent: sent twice, it is one listing
    status TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'published')),
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    price_eur REAL CHECK (price_eur >= 0),
    category TEXT,
    colours TEXT,    -- JSON
    materials TEXT,  -- JSON
    size TEXT,
    condition TEXT,
    brand TEXT,
    created_ns INTEGER NOT NULL,
    published_ns INTEGER,
    UNIQUE (seller_id, form_key),
    CHECK (status = 'draft' OR (category IS NOT NULL AND published_ns IS NOT NULL))
);
CREATE INDEX published_listings ON listings (published_ns) WHERE status = 'published';
CREATE INDEX published_listings_of_category ON listings (category, published_ns) WHERE status = 'published';
CREATE INDEX listings_of_seller ON listings (seller_id, created_ns);

-- What the model proposed for a draft. An answer after the time limit finds the state changed, and is dropped.
CREATE TABLE proposals (
    listing_id TEXT PRIMARY KEY REFERENCES listings (listing_id),
    state TEXT NOT NULL CHECK (state IN ('working', 'ready', 'failed')),
    problem TEXT CHECK (problem IN ('down', 'slow', 'over budget', 'no use')),
    detail TEXT,      -- for the admin
    attributes TEXT,  -- JSON
    unsure TEXT,      -- JSON: a sentence for each field that a person should look at
    trace_id TEXT,
    started_ns INTEGER NOT NULL,
    deadline_ns INTEGER NOT NULL,
    finished_ns INTEGER,
    CHECK (state != 'ready' OR attributes IS NOT NULL),
    CHECK (state != 'failed' OR problem IS NOT NULL)
);
CREATE INDEX proposals_by_start ON proposals (started_ns);

CREATE TABLE photos (
    listing_id TEXT PRIMARY KEY REFERENCES listings (listing_id),
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    small BLOB NOT NULL,
    large BLOB NOT NULL
);

-- Words of published listings; its rowid is the listing's number.
CREATE VIRTUAL TABLE search USING fts5 (title, description, attributes, tokenize = 'unicode61 remove_diacritics 2');
