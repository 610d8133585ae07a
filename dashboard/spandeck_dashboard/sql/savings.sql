-- grain: a day (UTC) of the period and a service whose requests went through the optimizer, latest first
-- params: since, until, service
select
    day,
    service,
    saved_usd,
    cost_usd,
    unpriced_call_count,
    lookup_count,
    hit_count,
    hit_count / nullif(lookup_count, 0) as hit_ratio,
    wrong_hit_count,
    cache_saved_usd,
    unpriced_hit_count,
    routed_count,
    route_saved_usd,
    compressed_away_characters,
    added_ms
from savings_by_day
where
    day >= cast(cast($since as timestamp) as date) and day < cast($until as timestamp)
    and service is not distinct from coalesce($service, service)
order by day desc, service asc
limit 100
