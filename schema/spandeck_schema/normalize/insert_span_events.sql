-- grain: one event of a new span; of the events that some emitters send for each chunk, only the first of a span
insert into store.span_events by name
select incoming_events.* exclude (arrival)
from incoming_events
semi join new_arrivals using (arrival)
where
    not coalesce(store.is_chunk(incoming_events.name), false)
    or (incoming_events.arrival, incoming_events.occurred_at) in (
        select (chunks.arrival, min(chunks.occurred_at))
        from incoming_events as chunks
        where store.is_chunk(chunks.name)
        group by chunks.arrival
    )
