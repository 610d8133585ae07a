-- grain: one service and signal of the batch
insert into store.ingest_log by name
select
    max(incoming_spans.received_at) as logged_at,
    store.to_text(incoming_spans.resource['service.name']) as service,
    'traces' as signal,
    count(*) as received_count,
    -- A span in place of an outdated one is stored already.
    count(new_arrivals.arrival) - count(outdated_spans.span_id) as stored_count,
    count(*) - stored_count as duplicate_count,
    0 as refused_count
from incoming_spans
left join new_arrivals using (arrival)
left join outdated_spans
    on
        new_arrivals.arrival is not null
        and incoming_spans.trace_id = outdated_spans.trace_id
        and incoming_spans.span_id = outdated_spans.span_id
where not incoming_spans.from_log
group by service
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
