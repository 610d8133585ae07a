-- grain: one span of a touched trace that log records say more of, with what they say
select
    trace_id,
    parent_span_id as span_id,
    arg_min(provider, (started_at, span_id)) as provider,
    arg_min(request_model, (started_at, span_id)) as request_model,
    arg_min(response_model, (started_at, span_id)) as response_model,
    arg_min(response_id, (started_at, span_id)) as response_id,
    arg_min(agent_name, (started_at, span_id)) as agent_name,
    arg_min(session_id, (started_at, span_id)) as session_id,
    arg_min(user_id, (started_at, span_id)) as user_id,
    arg_min(streamed, (started_at, span_id)) as streamed,
    arg_min(finish_reasons, (started_at, span_id)) as finish_reasons,
    arg_min(input_tokens, (started_at, span_id)) as input_tokens,
    arg_min(output_tokens, (started_at, span_id)) as output_tokens,
    arg_min(cache_read_tokens, (started_at, span_id)) as cache_read_tokens,
    arg_min(cache_write_tokens, (started_at, span_id)) as cache_write_tokens,
    arg_min(cache_write_1h_tokens, (started_at, span_id)) as cache_write_1h_tokens,
    arg_min(reasoning_tokens, (started_at, span_id)) as reasoning_tokens,
    arg_min(audio_input_tokens, (started_at, span_id)) as audio_input_tokens,
    arg_min(audio_output_tokens, (started_at, span_id)) as audio_output_tokens,
    arg_min(service_tier, (started_at, span_id)) as service_tier,
    arg_min(usage_basis, (started_at, span_id)) as usage_basis,
    arg_min(usage_source, (started_at, span_id)) as usage_source,
    arg_min(reported_cost_usd, (started_at, span_id)) as reported_cost_usd,
    arg_min(cache_hit, (started_at, span_id)) as cache_hit
from trace_spans
where kind = 'details'
group by trace_id, parent_span_id
