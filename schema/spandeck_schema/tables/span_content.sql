-- grain: one content value of a stored span or of a log record; its text is in content_parts
create table if not exists store.span_content (
    trace_id varchar,
    span_id varchar,
    origin varchar not null,
    name varchar not null,
    side varchar not null,
    occurred_at timestamp,
    content_bytes bigint not null,
    content_hash varchar not null,
    part_hashes varchar[],
    is_cut boolean not null,
    received_hour timestamp not null,
    received_at timestamp not null
);
