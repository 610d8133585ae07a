-- grain: one OTLP log record; a resend is dropped at insert
-- noqa: disable=PRS
create table if not exists store.log_records (
    trace_id varchar,
    span_id varchar,
    service varchar,
    scope varchar,
    event_name varchar,
    severity varchar,
    body varchar using compression zstd,
    occurred_at timestamp,
    attributes map (varchar, varchar),
    resource map (varchar, varchar),
    received_at timestamp not null,
    content_hash ubigint
);
