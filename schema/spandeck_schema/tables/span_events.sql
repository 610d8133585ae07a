-- grain: one event of a stored span
create table if not exists store.span_events (
    trace_id varchar not null,
    span_id varchar not null,
    name varchar,
    occurred_at timestamp,
    attributes map (varchar, varchar),
    received_at timestamp not null
);
