-- A span that is written marks its hour with as little work as it can: a request by its own time; a call, which may
-- come after its request, by the times of its trace; any other span is in no sum.
DROP TRIGGER span_written;
CREATE TRIGGER request_written AFTER INSERT ON spans WHEN NEW.name = 'propose' BEGIN
    INSERT INTO stale_hours VALUES (NEW.started_ns / 3600000000000 * 3600000000000) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER call_written AFTER INSERT ON spans WHEN NEW.operation IS NOT NULL AND NEW.name <> 'propose' BEGIN
    INSERT INTO stale_hours SELECT hour_ns FROM hours_of_traces WHERE trace_id = NEW.trace_id
    ON CONFLICT DO NOTHING;
END;

-- Data sets: tracing into a file deletes no span or score of it from before `until_ns`, however old it is.
CREATE TABLE data_sets (
    name TEXT PRIMARY KEY,
    until_ns INTEGER NOT NULL
);
