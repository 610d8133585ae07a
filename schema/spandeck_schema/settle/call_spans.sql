-- grain: one span of a touched trace that is a model call or carries usage
select
    spans.trace_id || spans.span_id as call_key,
    spans.trace_id,
    spans.span_id,
    spans.parent_span_id is not null as has_parent,
    tree.agent_name,
    tree.call_ancestors,
    case when spans.kind in ('llm', 'embedding') then spans.kind else 'agent' end as call_kind,
    coalesce(spans.input_tokens, spans.output_tokens) is not null as has_usage,
    coalesce(spans.output_tokens, 0) > 0 as has_output,
    coalesce(spans.scope, '') as scope,
    store.trust_rank(spans.family) as trust_rank,
    spans.service,
    coalesce(spans.service_instance, '') as service_instance,
    spans.response_id,
    spans.cache_hit,
    store.model_family(coalesce(spans.request_model, spans.response_model)) as model,
    coalesce(spans.input_tokens, -1) as input_tokens,
    epoch_us(spans.started_at) as started_us,
    epoch_us(spans.started_at) + cast(spans.duration_ms * 1000 as bigint) as ended_us
from trace_spans as spans
inner join span_tree as tree using (trace_id, span_id)
where
    spans.kind in ('llm', 'embedding')
    or (spans.kind != 'details' and coalesce(spans.input_tokens, spans.output_tokens) is not null)
