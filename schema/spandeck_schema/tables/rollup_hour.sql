-- grain: one group of an hour (UTC); beside it, until they are merged, the changes to it that batches made (is_delta)
-- subject: call (of store.calls, counted), span or trace; what a subject has no use for is NULL in its groups.
-- A *_count beside a sum says of how many it is the sum: a sum of none is unknown, not 0.
create table if not exists store.rollup_hour (
    hour timestamp not null,
    subject varchar not null,
    service varchar,
    kind varchar,
    name varchar,
    is_entry boolean,
    provider varchar,
    model varchar,
    agent_name varchar,
    tool_name varchar,
    is_delta boolean not null,
    row_count bigint not null,
    error_count bigint not null,
    unpriced_count bigint not null,
    cost_count bigint not null,
    cost_usd double,
    input_count bigint not null,
    input_tokens bigint,
    output_count bigint not null,
    output_tokens bigint,
    cache_read_count bigint not null,
    cache_read_tokens bigint,
    cache_write_count bigint not null,
    cache_write_tokens bigint,
    duration_buckets struct(bucket smallint, value_count integer)[],
    first_token_buckets struct(bucket smallint, value_count integer)[]
);
