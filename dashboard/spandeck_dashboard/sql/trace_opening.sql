-- grain: one row: the span on which a trace opens (the asked one, else the first failure that has none below, else the
-- root) and its page; a page holds 5,000 spans
-- params: trace, span
with
trace_spans as (
    select
        span_id,
        parent_span_id,
        status,
        row_number() over (order by started_at asc, duration_ms desc, span_id asc) as number
    from spans
    where trace_id = cast($trace as varchar)
),

failed_below as (
    select distinct parent_span_id as span_id
    from trace_spans
    where status = 'error' and parent_span_id is not null
),

wishes as (
    select
        trace_spans.span_id,
        trace_spans.number,
        case
            when trace_spans.span_id = cast($span as varchar) then 0
            when trace_spans.status = 'error' and failed_below.span_id is null then 1
            when trace_spans.status = 'error' then 2
            else 3
        end as wish
    from trace_spans
    left join failed_below on trace_spans.span_id = failed_below.span_id
)

select
    span_id,
    cast(ceil(number / 5000) as bigint) as page,
    cast(ceil(max(number) over () / 5000) as bigint) as page_count
from wishes
order by wish asc, number asc
limit 1
