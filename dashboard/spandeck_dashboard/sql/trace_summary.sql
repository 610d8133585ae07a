-- grain: one trace, with what its spans say about missing parents
-- params: trace
with
trace_spans as (
    select
        span_id,
        parent_span_id
    from spans
    where trace_id = cast($trace as varchar)
),

orphans as (
    select count(*) as orphan_count
    from trace_spans
    anti join trace_spans as parents on trace_spans.parent_span_id = parents.span_id
    where trace_spans.parent_span_id is not null
)

select
    traces.*,
    coalesce(traces.input_tokens + traces.output_tokens, traces.input_tokens, traces.output_tokens) as token_count,
    orphans.orphan_count
from traces
cross join orphans
where traces.trace_id = cast($trace as varchar)
