-- grain: a service and reason with what its client had to drop, as it told itself
-- params: now
select
    service,
    attributes['spandeck.client.dropped.reason'] as reason,
    cast(sum(try_cast(attributes['spandeck.client.dropped.count'] as bigint)) as bigint) as dropped_count,
    epoch(cast($now as timestamp)) - epoch(max(received_at)) as last_age_s
from log_records
where event_name = 'spandeck.client.dropped'
group by all
order by dropped_count desc nulls last, service asc
limit 100
