-- grain: one stored span, its times alone: quicker to read than `spans`
create or replace view main.span_times as
select
    trace_id,
    span_id,
    service,
    started_at,
    ended_at,
    received_at
from store.spans;
