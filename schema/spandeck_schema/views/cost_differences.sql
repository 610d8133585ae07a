-- grain: a service, scope, provider and model whose emitter tells costs: their sums by it and by the prices
create or replace view main.cost_differences as
select
    service,
    scope,
    provider,
    coalesce(response_model, request_model) as model,
    count(*) as call_count,
    count(*) filter (where abs(reported_cost_usd - cost_usd) > 0.01 * greatest(reported_cost_usd, cost_usd))
        as differing_call_count,
    count(*) filter (where cost_usd is null) as unpriced_call_count,
    sum(reported_cost_usd) as reported_cost_usd,
    sum(cost_usd) as cost_usd,
    sum(reported_cost_usd - cost_usd) as difference_usd,
    difference_usd / nullif(sum(cost_usd), 0) as difference_ratio
from store.calls
where counted and kind != 'tool' and reported_cost_usd is not null
group by all;
