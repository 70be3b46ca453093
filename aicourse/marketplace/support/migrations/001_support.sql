-- Orders and what happened to them, as the support assistant's tools see it. Money is in cents of a euro,
-- moments are UTC ("2026-11-25T10:00:00"), days are dates.

CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    pro INTEGER NOT NULL DEFAULT 0 CHECK (pro IN (0, 1))  -- a registered shop
) STRICT;

CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY,
    buyer TEXT NOT NULL REFERENCES customers,
    seller TEXT NOT NULL REFERENCES customers,
    item TEXT NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents > 0),
    paid_cents INTEGER NOT NULL CHECK (paid_cents >= price_cents),  -- with postage and buyer protection
    paid_with TEXT NOT NULL DEFAULT 'card' CHECK (paid_with IN ('wallet', 'ideal', 'card', 'sepa')),
    status TEXT NOT NULL CHECK (status IN (
        'paid', 'label made', 'scanned', 'in the depot', 'out for delivery', 'ready for pickup', 'delivered',
        'on its way back', 'lost', 'collected', 'cancelled'
    )),
    ordered_at TEXT NOT NULL,
    moved_on TEXT,        -- the day of the last scan; of a delivered order, the day of delivery
    address TEXT NOT NULL,
    accepted_offer INTEGER NOT NULL DEFAULT 0 CHECK (accepted_offer IN (0, 1)),
    cancel_agreed INTEGER NOT NULL DEFAULT 0 CHECK (cancel_agreed IN (0, 1)),  -- by the seller
    seller_note TEXT NOT NULL DEFAULT ''  -- written by a stranger
) STRICT;
CREATE INDEX orders_of_buyer ON orders (buyer, order_id);

CREATE TABLE problems (
    order_id INTEGER PRIMARY KEY REFERENCES orders,
    reason TEXT NOT NULL CHECK (reason IN ('damaged', 'not as described', 'never arrived')),
    reported_on TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'sent back', 'refused')),
    agreed_cents INTEGER CHECK (agreed_cents > 0)  -- a partial refund that buyer and seller have agreed on
) STRICT;

CREATE TABLE refunds (
    order_id INTEGER PRIMARY KEY REFERENCES orders,  -- so no order is refunded twice
    cents INTEGER NOT NULL CHECK (cents > 0),
    refunded_on TEXT NOT NULL
) STRICT;

CREATE TABLE hand_overs (
    conversation TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers,
    reason TEXT NOT NULL,
    opened_at TEXT NOT NULL
) STRICT;
