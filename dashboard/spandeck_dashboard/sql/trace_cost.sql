-- grain: one span of a trace that is a call or carries usage: whether it counts, and why it costs what it costs
-- params: trace
select
    spans.name,
    usage_reasons.span_id,
    usage_reasons.counted,
    usage_reasons.counting,
    usage_reasons.tokens,
    usage_reasons.pricing,
    usage_reasons.input_tokens,
    usage_reasons.output_tokens,
    if(usage_reasons.counted, usage_reasons.cost_usd, null) as cost_usd,
    usage_reasons.cost_usd as own_cost_usd
from usage_reasons
inner join spans on usage_reasons.trace_id = spans.trace_id and usage_reasons.span_id = spans.span_id
where
    usage_reasons.trace_id = cast($trace as varchar) and spans.trace_id = cast($trace as varchar)
    and usage_reasons.kind != 'tool'
order by usage_reasons.counted desc, usage_reasons.cost_usd desc nulls last, usage_reasons.started_at asc
limit 300
