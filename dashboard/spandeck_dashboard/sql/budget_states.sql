-- grain: a budget of today or of a session, for each value that it is for, the most spent first
-- params: service, model, agent
select
    budget,
    period,
    concat_ws(' · ', service, agent_name, user_id, model, session_id) as for_whom,
    day,
    time_zone,
    soft_usd,
    hard_usd,
    spent_usd,
    left_usd,
    unpriced_call_count,
    state,
    least(spent_usd / nullif(coalesce(hard_usd, soft_usd), 0), 1) as spent_share
from budgets
where
    (service is null or service is not distinct from coalesce($service, service))
    and (model is null or model is not distinct from coalesce($model, model))
    and (agent_name is null or agent_name is not distinct from coalesce($agent, agent_name))
order by spent_share desc nulls last, budget asc, for_whom asc
limit 100
