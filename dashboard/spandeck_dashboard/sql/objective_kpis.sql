-- grain: one row: how many objectives of services are attained, missed or not reported in the period
-- params: since, until, service
select
    count(*) filter (where is_attained) as attained_count,
    count(*) filter (where not is_attained) as missed_count,
    count(*) filter (where attained_ratio is null) as unreported_count,
    count(distinct coalesce(service, '')) as service_count,
    min(budget_left_ratio) as lowest_budget_left_ratio,
    arg_min(coalesce(service, 'unnamed service'), budget_left_ratio) as lowest_budget_service,
    arg_min(objective, budget_left_ratio) as lowest_budget_objective,
    max(burn_rate) as highest_burn_rate,
    arg_max(coalesce(service, 'unnamed service'), burn_rate) as highest_burn_service,
    arg_max(objective, burn_rate) as highest_burn_objective
from service_objectives_between(cast($since as timestamp), cast($until as timestamp))
where service is not distinct from coalesce($service, service)
