-- grain: one event of a span, in order, at most 200
-- params: trace, span
select
    span_events.name,
    span_events.occurred_at,
    (epoch_us(span_events.occurred_at) - epoch_us(spans.started_at)) / 1000.0 as offset_ms,
    cast(to_json(span_events.attributes) as varchar) as attributes_json
from span_events
inner join spans
    on span_events.trace_id = spans.trace_id and span_events.span_id = spans.span_id
where span_events.trace_id = cast($trace as varchar) and span_events.span_id = cast($span as varchar)
order by span_events.occurred_at
limit 200
