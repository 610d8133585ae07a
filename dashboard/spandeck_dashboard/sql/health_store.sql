-- grain: one row: what the store holds and how fresh it is
-- params: now
with
totals as (
    select
        count(*) as span_count,
        count(distinct trace_id) as trace_count,
        min(started_at) as first_started_at,
        epoch(cast($now as timestamp)) - epoch(max(received_at)) as last_received_age_s,
        quantile_cont(epoch_ms(received_at) - epoch_ms(ended_at), 0.95) filter (
            where received_at >= cast($now as timestamp) - interval 1 hour
        ) as lag_p95_ms
    from spans
)

select
    about.schema_version,
    about.prices_source,
    about.is_normalized,
    about.advice,
    totals.span_count,
    totals.trace_count,
    totals.first_started_at,
    totals.last_received_age_s,
    totals.lag_p95_ms
from about
cross join totals
