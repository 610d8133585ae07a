-- grain: one result of an evaluation as it was told; one that is told twice, by event and log, has two rows
-- noqa: disable=PRS
create table if not exists store.evaluations (
    trace_id varchar,
    span_id varchar,
    response_id varchar,
    session_id varchar,
    service varchar,
    subject varchar not null,
    name varchar,
    score double,
    label varchar,
    explanation varchar using compression zstd,
    evaluator varchar,
    source varchar not null,
    evaluated_at timestamp,
    received_at timestamp not null
);
