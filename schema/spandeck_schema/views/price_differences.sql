-- grain: a provider, model and price of stored calls that the prices told now would change (spandeck prices apply)
create or replace view main.price_differences as
select
    provider,
    model,
    price_id,
    present_price_id,
    count(*) as call_count,
    sum(cost_usd) as cost_usd,
    sum(present_cost_usd) as present_cost_usd,
    coalesce(sum(present_cost_usd), 0) - coalesce(sum(cost_usd), 0) as difference_usd,
    min(started_at) as first_started_at,
    max(started_at) as last_started_at
from store.repriced_calls()
where counted and price_id is distinct from present_price_id
group by all;
