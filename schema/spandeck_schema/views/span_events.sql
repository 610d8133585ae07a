-- grain: one event of a stored span
create or replace view main.span_events as
select
    trace_id,
    span_id,
    name,
    occurred_at,
    attributes
from store.span_events;
