-- grain: one new log record
insert into store.log_records by name
select
    incoming_logs.* exclude (arrival, request, record_hash, address),
    new_logs.content_hash,
    store.to_text(incoming_logs.resource['service.name']) as service
from incoming_logs
inner join new_logs using (arrival)
