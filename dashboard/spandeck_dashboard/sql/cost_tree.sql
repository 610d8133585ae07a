-- grain: a box of the treemap: all, a model, or an agent below a model, with a known cost; `rank` numbers the models
-- params: since, until, service, model, agent
with
calls as (
    select
        coalesce(model, 'unnamed model') as model_name,
        coalesce(agent_name, 'outside any agent') as agent_label,
        cost_usd
    from llm_calls
    where
        cost_usd > 0
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

models as (
    select
        model_name,
        sum(cost_usd) as cost_usd,
        row_number() over (order by sum(cost_usd) desc, model_name asc) as rank
    from calls
    group by model_name
),

leaves as (
    select
        calls.model_name,
        calls.agent_label,
        models.rank,
        sum(calls.cost_usd) as cost_usd
    from calls
    inner join models on calls.model_name = models.model_name
    group by all
),

boxes as (
    select
        'all' as node_id,
        '' as parent_id,
        'All models' as name,
        0 as rank,
        sum(cost_usd) as cost_usd
    from leaves
    having count(*) > 0
    union all
    select
        'model:' || model_name as node_id,
        'all' as parent_id,
        model_name as name,
        min(rank) as rank,
        sum(cost_usd) as cost_usd
    from leaves
    group by model_name
    union all
    select
        'agent:' || model_name || ':' || agent_label as node_id,
        'model:' || model_name as parent_id,
        agent_label as name,
        rank,
        cost_usd
    from leaves
)

select
    *,
    cost_usd / max(cost_usd) over () as cost_share
from boxes
order by rank asc, parent_id asc, cost_usd desc, node_id asc
