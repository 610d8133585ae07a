-- grain: one new metric point
insert into store.metric_points by name
select
    incoming_metrics.* exclude (arrival, point_hash, address),
    new_metrics.content_hash,
    store.to_text(incoming_metrics.resource['service.name']) as service
from incoming_metrics
inner join new_metrics using (arrival)
