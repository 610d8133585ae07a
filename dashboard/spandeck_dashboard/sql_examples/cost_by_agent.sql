-- question: What did each agent cost this week?
select
    agent_name,
    sum(cost_usd) as cost_usd,
    count(*) filter (where cost_usd is null and input_tokens is not null) as unpriced_call_count
from llm_calls
where started_at >= now() at time zone 'UTC' - interval 7 day
group by agent_name
order by cost_usd desc nulls last
