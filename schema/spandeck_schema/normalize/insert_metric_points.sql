-- grain: one received metric point
insert into store.metric_points by name
select
    incoming_metrics.*,
    store.to_text(resource['service.name']) as service
from incoming_metrics
