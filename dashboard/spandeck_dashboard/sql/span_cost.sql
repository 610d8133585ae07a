-- grain: one row for a span that is a call or carries usage: why it counts and costs what it does
-- params: trace, span
select
    counted,
    counting,
    duplicate_trace_id,
    duplicate_of,
    tokens,
    usage_source,
    usage_scope,
    input_tokens,
    own_input_tokens,
    output_tokens,
    pricing,
    cost_usd,
    price_id
from usage_reasons
where trace_id = cast($trace as varchar) and span_id = cast($span as varchar)
order by span_id asc
limit 1
