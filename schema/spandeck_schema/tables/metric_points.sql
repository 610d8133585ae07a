-- grain: one received OTLP metric data point; a resend is dropped at insert
create table if not exists store.metric_points (
    service varchar,
    scope varchar,
    name varchar,
    unit varchar,
    metric_type varchar,
    temporality varchar,
    started_at timestamp,
    occurred_at timestamp,
    value double,
    point_count bigint,
    bucket_counts bigint[],
    bucket_bounds double[],
    attributes map (varchar, varchar),
    resource map (varchar, varchar),
    received_at timestamp not null,
    content_hash ubigint
);
