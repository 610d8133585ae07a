-- grain: one service of the batch's spans
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
group by mapped_spans.service
