-- grain: one received log record
insert into store.log_records by name
select
    incoming_logs.*,
    store.to_text(resource['service.name']) as service
from incoming_logs
