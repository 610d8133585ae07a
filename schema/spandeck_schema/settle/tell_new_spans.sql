-- grain: one span of the batch that log records say more of
update new_spans
set
    provider = coalesce(new_spans.provider, details.provider),
    request_model = coalesce(new_spans.request_model, details.request_model),
    response_model = coalesce(new_spans.response_model, details.response_model),
    response_id = coalesce(new_spans.response_id, details.response_id),
    agent_name = coalesce(new_spans.agent_name, details.agent_name),
    session_id = coalesce(new_spans.session_id, details.session_id),
    user_id = coalesce(new_spans.user_id, details.user_id),
    streamed = coalesce(new_spans.streamed, details.streamed),
    finish_reasons = coalesce(new_spans.finish_reasons, details.finish_reasons),
    input_tokens = coalesce(new_spans.input_tokens, details.input_tokens),
    output_tokens = coalesce(new_spans.output_tokens, details.output_tokens),
    cache_read_tokens = coalesce(new_spans.cache_read_tokens, details.cache_read_tokens),
    cache_write_tokens = coalesce(new_spans.cache_write_tokens, details.cache_write_tokens),
    cache_write_1h_tokens = coalesce(new_spans.cache_write_1h_tokens, details.cache_write_1h_tokens),
    reasoning_tokens = coalesce(new_spans.reasoning_tokens, details.reasoning_tokens),
    audio_input_tokens = coalesce(new_spans.audio_input_tokens, details.audio_input_tokens),
    audio_output_tokens = coalesce(new_spans.audio_output_tokens, details.audio_output_tokens),
    service_tier = coalesce(new_spans.service_tier, details.service_tier),
    usage_basis = coalesce(new_spans.usage_basis, details.usage_basis),
    usage_source = coalesce(new_spans.usage_source, details.usage_source),
    reported_cost_usd = coalesce(new_spans.reported_cost_usd, details.reported_cost_usd),
    cache_hit = coalesce(new_spans.cache_hit, details.cache_hit)
from span_details as details
where
    new_spans.trace_id = details.trace_id
    and new_spans.span_id = details.span_id
    and new_spans.kind != 'details'
