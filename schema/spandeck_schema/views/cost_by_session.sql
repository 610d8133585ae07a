-- grain: a session
create or replace view main.cost_by_session as
select
    session_id,
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
