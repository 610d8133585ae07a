-- grain: a day in a time zone such as 'Europe/Berlin', provider and model
create or replace macro main.cost_by_day_in(zone) as table
    select
        cast(timezone(zone, timezone('UTC', started_at)) as date) as day,
        provider,
        model,
        count(*) filter (where kind != 'agent') as call_count,
        count(*) filter (where cost_usd is null and coalesce(input_tokens, output_tokens) is not null)
            as unpriced_call_count,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
        sum(cost_usd) as cost_usd
    from main.llm_calls
    group by all;
