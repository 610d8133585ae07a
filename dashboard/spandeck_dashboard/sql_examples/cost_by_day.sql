-- question: What does each day cost, by model?
select
    day,
    model,
    cost_usd,
    call_count
from cost_by_day
order by day asc, cost_usd desc nulls last
