-- grain: one trace of the step: whole traces behind the cursor, as many as $most_spans spans allow, at least one
-- A trace has a span at least, so the first $most_spans traces are enough to choose from.
with ahead as (
    select
        trace_id,
        first_received_at,
        last_received_at,
        span_count
    from store.traces
    where
        last_received_at >= $since
        and first_received_at <= $until
        and (first_received_at > $after_at or (first_received_at = $after_at and trace_id > $after_id))
    order by first_received_at, trace_id
    limit $most_spans
),

filled as (
    select
        *,
        sum(span_count) over (order by first_received_at, trace_id rows unbounded preceding) as span_sum
    from ahead
)

select
    trace_id,
    first_received_at,
    last_received_at
from filled
where span_sum <= $most_spans or span_sum = span_count
