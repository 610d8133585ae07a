-- grain: a service of the period and an objective, beside the period before; not reported: attained_ratio NULL
-- A period before that is not recorded from its beginning has no value.
-- params: state, before, since, until, service
with
current_period as (
    select *
    from service_objectives_between(cast($since as timestamp), cast($until as timestamp))
    where service is not distinct from coalesce($service, service)
),

previous_period as (
    select *
    from service_objectives_between(cast($before as timestamp), cast($since as timestamp))
    where service is not distinct from coalesce($service, service)
),

base as (
    select min(started_at) <= cast($before as timestamp) as is_comparable
    from traces
)

select
    current_period.service,
    current_period.objective,
    current_period.description,
    current_period.target_ratio,
    current_period.measured_count,
    current_period.measured_count - current_period.good_count as missed_count,
    current_period.attained_ratio,
    case
        when current_period.attained_ratio is null then 'not reported'
        when current_period.is_attained then 'attained'
        else 'missed'
    end as state,
    if(base.is_comparable, previous_period.attained_ratio, null) as previous_attained_ratio,
    current_period.budget_left_ratio,
    case when current_period.budget_left_ratio is not null then greatest(current_period.budget_left_ratio, 0) end
        as budget_share,
    current_period.burn_rate,
    epoch(cast($until as timestamp)) - epoch(current_period.last_started_at) as last_age_s
from current_period
cross join base
left join previous_period
    on
        current_period.service is not distinct from previous_period.service
        and current_period.objective = previous_period.objective
where state is not distinct from coalesce(cast($state as varchar), state)
order by
    current_period.service,
    list_position(
        ['availability', 'latency_median', 'latency', 'state_access', 'retrieval', 'retrieval_real_time'],
        current_period.objective
    )
