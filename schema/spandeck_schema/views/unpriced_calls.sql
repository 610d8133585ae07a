-- grain: a provider, model and service tier whose calls have usage but no cost
create or replace view main.unpriced_calls as
select
    provider,
    model,
    store.price_tier(service_tier) as service_tier,
    count(*) as call_count,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(output_tokens) as bigint) as output_tokens,
    min(started_at) as first_started_at,
    max(started_at) as last_started_at
from main.llm_calls
where cost_usd is null and coalesce(input_tokens, output_tokens) is not null
group by all;
