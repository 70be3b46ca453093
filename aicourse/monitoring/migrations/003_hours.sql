-- Requests added up by hour and slice (`metrics.sql` says how): figures of a fortnight are read from a few thousand
-- rows, however many spans there are. An hour in which something has changed is stale until it is added up again.
CREATE TABLE hourly_requests (
    hour_ns INTEGER NOT NULL,
    prompt_version TEXT, model TEXT, client TEXT, category TEXT, experiment TEXT, variant TEXT,
    requests INTEGER NOT NULL,
    -- for each measure: requests that have it, its sum, and the sum of its squares
    failed_n INTEGER NOT NULL, failed_sum REAL, failed_squares REAL,
    invalid_n INTEGER NOT NULL, invalid_sum REAL, invalid_squares REAL,
    empty_fields_n INTEGER NOT NULL, empty_fields_sum REAL, empty_fields_squares REAL,
    corrected_n INTEGER NOT NULL, corrected_sum REAL, corrected_squares REAL,
    disliked_n INTEGER NOT NULL, disliked_sum REAL, disliked_squares REAL,
    seconds_n INTEGER NOT NULL, seconds_sum REAL, seconds_squares REAL,
    cost_usd_n INTEGER NOT NULL, cost_usd_sum REAL, cost_usd_squares REAL,
    uncached_tokens INTEGER, cached_tokens INTEGER, output_tokens INTEGER,
    all_seconds TEXT NOT NULL        -- JSON: percentiles cannot be added up
);
CREATE TABLE hourly_corrections (
    hour_ns INTEGER NOT NULL,
    prompt_version TEXT, model TEXT, client TEXT, category TEXT, experiment TEXT, variant TEXT,
    field TEXT NOT NULL, published INTEGER NOT NULL, corrected INTEGER NOT NULL
);
CREATE TABLE hourly_scores (
    hour_ns INTEGER NOT NULL,
    prompt_version TEXT, model TEXT, client TEXT, category TEXT, experiment TEXT, variant TEXT,
    source TEXT NOT NULL, name TEXT NOT NULL, scored INTEGER NOT NULL, total REAL, missing INTEGER NOT NULL
);
CREATE INDEX hourly_requests_by_time ON hourly_requests (hour_ns);
CREATE INDEX hourly_corrections_by_time ON hourly_corrections (hour_ns);
CREATE INDEX hourly_scores_by_time ON hourly_scores (hour_ns);

CREATE TABLE stale_hours (hour_ns INTEGER PRIMARY KEY);
INSERT INTO stale_hours SELECT DISTINCT started_ns / 3600000000000 * 3600000000000 FROM spans WHERE name = 'propose';

-- The hours of the requests that a trace has; spans of one trace, feedback and scores come at any time. (ON CONFLICT
-- DO NOTHING: an OR IGNORE in a trigger gives way to what the statement says that fired it.)
CREATE VIEW hours_of_traces AS
SELECT trace_id, started_ns / 3600000000000 * 3600000000000 AS hour_ns FROM spans WHERE name = 'propose';

CREATE TRIGGER span_written AFTER INSERT ON spans BEGIN
    INSERT INTO stale_hours SELECT hour_ns FROM hours_of_traces WHERE trace_id = NEW.trace_id
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER span_deleted AFTER DELETE ON spans BEGIN
    INSERT INTO stale_hours SELECT hour_ns FROM hours_of_traces WHERE trace_id = OLD.trace_id
    UNION SELECT OLD.started_ns / 3600000000000 * 3600000000000 WHERE OLD.name = 'propose'
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER feedback_given AFTER INSERT ON feedback BEGIN
    INSERT INTO stale_hours SELECT hour_ns FROM hours_of_traces WHERE trace_id = NEW.trace_id
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER feedback_changed AFTER UPDATE ON feedback BEGIN
    INSERT INTO stale_hours SELECT hour_ns FROM hours_of_traces WHERE trace_id IN (OLD.trace_id, NEW.trace_id)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER feedback_deleted AFTER DELETE ON feedback BEGIN
    INSERT INTO stale_hours SELECT hour_ns FROM hours_of_traces WHERE trace_id = OLD.trace_id
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER score_given AFTER INSERT ON scores BEGIN
    INSERT INTO stale_hours SELECT hour_ns FROM hours_of_traces WHERE trace_id = NEW.trace_id
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER score_deleted AFTER DELETE ON scores BEGIN
    INSERT INTO stale_hours SELECT hour_ns FROM hours_of_traces WHERE trace_id = OLD.trace_id
    ON CONFLICT DO NOTHING;
END;
