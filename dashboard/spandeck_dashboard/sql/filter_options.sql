-- grain: a value that a filter offers: a service, model or agent of the 30 days before the period's end
-- params: until
with
recent_calls as (
    select
        model,
        agent_name
    from llm_calls
    where started_at >= cast($until as timestamp) - interval 30 day
),

recent_traces as (
    select service
    from traces
    where started_at >= cast($until as timestamp) - interval 30 day
),

found as (
    select
        'service' as filter,
        service as value,
        count(*) as use_count
    from recent_traces
    group by all
    union all
    select
        'model' as filter,
        model as value,
        count(*) as use_count
    from recent_calls
    group by all
    union all
    select
        'agent' as filter,
        agent_name as value,
        count(*) as use_count
    from recent_calls
    group by all
)

select
    filter,
    value
from found
where value is not null
qualify row_number() over (partition by filter order by use_count desc, value asc) <= 200
order by filter, value
