-- grain: one group of an hour that call_changes, span_changes and trace_changes change, with what is to be added to it
with facts as (
    select
        sign,
        'call' as subject,
        started_at,
        service,
        kind,
        cast(null as varchar) as name,
        cast(null as boolean) as is_entry,
        case when kind != 'tool' then provider end as provider,
        case when kind != 'tool' then coalesce(response_model, request_model) end as model,
        agent_name,
        tool_name,
        status,
        duration_ms,
        time_to_first_token_ms,
        kind != 'tool' and cost_usd is null and coalesce(input_tokens, output_tokens) is not null as is_unpriced,
        cost_usd,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens
    from call_changes
    where counted
    union all by name
    select
        sign,
        'span' as subject,
        started_at,
        service,
        kind,
        name,
        coalesce(parent_span_id is null or otel_kind in ('SERVER', 'CONSUMER'), false) as is_entry,
        status,
        duration_ms
    from span_changes
    where kind is distinct from 'details'
    union all by name
    select
        sign,
        'trace' as subject,
        started_at,
        service,
        agent_name,
        status,
        duration_ms,
        time_to_first_token_ms
    from trace_changes
    where span_count > 0
),

-- One row a pair of buckets, so that what is written and deleted alike is gone before lists are made.
pairs as (
    select
        date_trunc('hour', started_at) as hour,
        subject,
        service,
        kind,
        name,
        is_entry,
        provider,
        model,
        agent_name,
        tool_name,
        store.bucket_of(duration_ms) as duration_bucket,
        store.bucket_of(time_to_first_token_ms) as first_token_bucket,
        sum(sign) as row_count,
        coalesce(sum(sign) filter (where status = 'error'), 0) as error_count,
        coalesce(sum(sign) filter (where is_unpriced), 0) as unpriced_count,
        coalesce(sum(sign) filter (where cost_usd is not null), 0) as cost_count,
        sum(sign * cost_usd) as cost_usd,
        coalesce(sum(sign) filter (where input_tokens is not null), 0) as input_count,
        sum(sign * input_tokens) as input_tokens,
        coalesce(sum(sign) filter (where output_tokens is not null), 0) as output_count,
        sum(sign * output_tokens) as output_tokens,
        coalesce(sum(sign) filter (where cache_read_tokens is not null), 0) as cache_read_count,
        sum(sign * cache_read_tokens) as cache_read_tokens,
        coalesce(sum(sign) filter (where cache_write_tokens is not null), 0) as cache_write_count,
        sum(sign * cache_write_tokens) as cache_write_tokens
    from facts
    where started_at is not null
    group by all
    having
        row_count != 0
        or error_count != 0
        or unpriced_count != 0
        or cost_count != 0
        or abs(coalesce(sum(sign * cost_usd), 0)) > 1e-12
        or input_count != 0
        or coalesce(sum(sign * input_tokens), 0) != 0
        or output_count != 0
        or coalesce(sum(sign * output_tokens), 0) != 0
        or cache_read_count != 0
        or coalesce(sum(sign * cache_read_tokens), 0) != 0
        or cache_write_count != 0
        or coalesce(sum(sign * cache_write_tokens), 0) != 0
)

select
    hour,
    subject,
    service,
    kind,
    name,
    is_entry,
    provider,
    model,
    agent_name,
    tool_name,
    true as is_delta,
    sum(row_count) as row_count,
    sum(error_count) as error_count,
    sum(unpriced_count) as unpriced_count,
    sum(cost_count) as cost_count,
    sum(cost_usd) as cost_usd,
    sum(input_count) as input_count,
    sum(input_tokens) as input_tokens,
    sum(output_count) as output_count,
    sum(output_tokens) as output_tokens,
    sum(cache_read_count) as cache_read_count,
    sum(cache_read_tokens) as cache_read_tokens,
    sum(cache_write_count) as cache_write_count,
    sum(cache_write_tokens) as cache_write_tokens,
    list(struct_pack(bucket := duration_bucket, value_count := cast(row_count as integer)))
    filter (where duration_bucket is not null and row_count != 0) as duration_buckets,
    list(struct_pack(bucket := first_token_bucket, value_count := cast(row_count as integer)))
    filter (where first_token_bucket is not null and row_count != 0) as first_token_buckets
from pairs
group by all
