-- grain: one service and signal of the batch
insert into store.ingest_log by name
select
    max(incoming_spans.received_at) as logged_at,
    mapped_spans.service,
    'traces' as signal,
    count(*) as received_count,
    count(new_arrivals.arrival) as stored_count,
    count(*) - count(new_arrivals.arrival) as duplicate_count,
    0 as refused_count
from incoming_spans
inner join mapped_spans using (arrival)
left join new_arrivals using (arrival)
where not incoming_spans.from_log
group by mapped_spans.service
union all by name
select
    max(incoming_logs.received_at) as logged_at,
    store.to_text(incoming_logs.resource['service.name']) as service,
    'logs' as signal,
    count(*) as received_count,
    count(new_logs.arrival) as stored_count,
    count(*) - count(new_logs.arrival) as duplicate_count,
    0 as refused_count
from incoming_logs
left join new_logs using (arrival)
group by service
union all by name
select
    max(received_at) as logged_at,
    store.to_text(resource['service.name']) as service,
    'metrics' as signal,
    count(*) as received_count,
    count(*) as stored_count,
    0 as duplicate_count,
    0 as refused_count
from incoming_metrics
group by service
