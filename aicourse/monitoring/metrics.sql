-- Views of spans, feedback and scores, for one connection (TEMP): what `metrics.py` adds up by hour. Whoever changes
-- one adds a migration that makes all hours stale.

-- Calls of a model. Cached input tokens are a part of the input tokens, at a price of their own. A call that
-- makes another one (some frameworks tell of both) has its tokens already: the inner one is left out.
CREATE TEMP VIEW IF NOT EXISTS calls AS
SELECT span_id, trace_id, parent_id, started_ns, seconds, status, model, prompt, prompt_version,
    input_tokens - coalesce(cached_tokens, 0) AS uncached_tokens,
    coalesce(cached_tokens, 0) AS cached_tokens, output_tokens, cost_usd
FROM spans AS call
WHERE operation IN ('chat', 'generate_content', 'text_completion', 'embeddings') AND NOT EXISTS (
    SELECT 1 FROM spans AS above WHERE above.span_id = call.parent_id
        AND above.operation IN ('chat', 'generate_content', 'text_completion', 'embeddings'));

-- Proposals that sellers asked for, one to a trace, with what the calls of the trace took: a span above a call
-- may repeat its tokens, so adding up all spans would count them twice. (Each column is a question of its own,
-- so that those which nobody reads cost nothing.)
CREATE TEMP VIEW IF NOT EXISTS requests AS
SELECT span_id, trace_id, started_ns,
    started_ns / 3600000000000 * 3600000000000 AS hour_ns,
    CASE status WHEN 'ok' THEN seconds END AS seconds,  -- until an answer; a failure has none
    status = 'error' AS failed, 1 - valid AS invalid, empty_fields,
    client, category, experiment, variant,
    coalesce(prompt_version, (SELECT max(prompt_version) FROM calls
        WHERE calls.trace_id = root.trace_id)) AS prompt_version,
    coalesce(model, (SELECT max(model) FROM calls WHERE calls.trace_id = root.trace_id)) AS model,
    (SELECT sum(uncached_tokens) FROM calls WHERE calls.trace_id = root.trace_id) AS uncached_tokens,
    (SELECT sum(cached_tokens) FROM calls WHERE calls.trace_id = root.trace_id) AS cached_tokens,
    (SELECT sum(output_tokens) FROM calls WHERE calls.trace_id = root.trace_id) AS output_tokens,
    (SELECT sum(cost_usd) FROM calls WHERE calls.trace_id = root.trace_id) AS cost_usd,
    -- the share of the proposed fields that the seller changed; a thumb down as 1, up as 0
    (SELECT avg(changed) FROM proposed_fields WHERE proposed_fields.trace_id = root.trace_id) AS corrected,
    (SELECT avg(thumb = -1) FROM feedback
        WHERE feedback.trace_id = root.trace_id AND kind = 'explicit') AS disliked
FROM spans AS root
WHERE name = 'propose';

-- Fields of published listings that had been proposed; an edit means "better than proposed", not more.
CREATE TEMP VIEW IF NOT EXISTS corrections AS
SELECT requests.*, proposed_fields.field, proposed_fields.changed AS is_corrected
FROM requests JOIN proposed_fields ON proposed_fields.trace_id = requests.trace_id;

-- Scores of requests, of all sources; without a value where a scorer broke, or gave a label alone.
CREATE TEMP VIEW IF NOT EXISTS scored AS
SELECT requests.*, scores.name, scores.source, scores.value
FROM requests JOIN scores ON scores.trace_id = requests.trace_id;
