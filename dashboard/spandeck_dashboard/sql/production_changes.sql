-- grain: a service that requests of the period entered, with all that is counted, beside the period before
-- A period before with fewer than five requests of the service, or not recorded from its beginning, is no base.
-- params: before, since, until, service
with
current_period as (
    select *
    from production_metrics_between(cast($since as timestamp), cast($until as timestamp))
    where service is not distinct from coalesce($service, service)
),

previous_period as (
    select *
    from production_metrics_between(cast($before as timestamp), cast($since as timestamp))
    where
        service is not distinct from coalesce($service, service)
        and request_count >= 5
        and (select min(traces.started_at) from traces) <= cast($before as timestamp)
)

select
    current_period.*,
    current_period.request_count / previous_period.request_count - 1 as request_change_ratio,
    current_period.error_ratio / nullif(previous_period.error_ratio, 0) - 1 as error_change_ratio,
    current_period.p95_ms / nullif(previous_period.p95_ms, 0) - 1 as p95_change_ratio,
    current_period.time_to_first_token_p95_ms / nullif(previous_period.time_to_first_token_p95_ms, 0) - 1
        as first_token_change_ratio,
    current_period.cost_usd / nullif(previous_period.cost_usd, 0) - 1 as cost_change_ratio,
    current_period.cost_per_request_usd / nullif(previous_period.cost_per_request_usd, 0) - 1
        as cost_per_request_change_ratio
from current_period
left join previous_period on current_period.service is not distinct from previous_period.service
order by current_period.request_count desc, current_period.service asc
limit 50
