-- grain: a service that requests of the period entered, with everything that is counted of them, most requests first
-- params: since, until, service
select *
from production_metrics_between(cast($since as timestamp), cast($until as timestamp))
where service is not distinct from coalesce($service, service)
order by request_count desc, service asc
limit 50
