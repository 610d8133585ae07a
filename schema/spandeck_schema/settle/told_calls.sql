-- grain: one counted call that several spans tell, with what they know together, each fact by the most trusted of them
-- Of output counts the largest: some emitters stop counting at a stream's start, and tell 3 tokens of 81.
with members as (
    select
        counted_calls.told_key,
        (
            store.trust_rank(spans.family),
            counted_calls.call_key != counted_calls.told_key,
            counted_calls.call_key
        ) as rank,
        counted_calls.agent_name,
        context.session_id,
        context.user_id,
        spans.* exclude (agent_name, session_id, user_id)
    from counted_calls
    inner join trace_spans as spans using (trace_id, span_id)
    inner join trace_context as context using (trace_id)
    where
        counted_calls.is_whole
        and counted_calls.told_key in (
            select others.told_key from counted_calls as others where not others.counted and others.is_whole
        )
)

select
    told_key as call_key,
    arg_min(agent_name, rank) as agent_name,
    arg_min(session_id, rank) as session_id,
    arg_min(user_id, rank) as user_id,
    arg_min(time_to_first_token_ms, rank) as time_to_first_token_ms,
    arg_min(provider, rank) as provider,
    arg_min(request_model, rank) as request_model,
    arg_min(response_model, rank) as response_model,
    arg_min(response_id, rank) as response_id,
    arg_min(streamed, rank) as streamed,
    arg_min(error_type, rank) as error_type,
    arg_min(error_message, rank) as error_message,
    arg_min(finish_reasons, rank) as finish_reasons,
    arg_min(input_tokens, rank) as input_tokens,
    max(output_tokens) as output_tokens,
    arg_min(cache_read_tokens, rank) as cache_read_tokens,
    arg_min(cache_write_tokens, rank) as cache_write_tokens,
    arg_min(cache_write_1h_tokens, rank) as cache_write_1h_tokens,
    arg_min(reasoning_tokens, rank) as reasoning_tokens,
    arg_min(audio_input_tokens, rank) as audio_input_tokens,
    arg_min(audio_output_tokens, rank) as audio_output_tokens,
    arg_min(service_tier, rank) as service_tier,
    arg_min(usage_basis, rank) as usage_basis,
    arg_min(usage_source, rank) as usage_source,
    arg_min(case when input_tokens is not null then scope end, rank) as usage_scope,
    arg_min(reported_cost_usd, rank) as reported_cost_usd,
    arg_min(cache_hit, rank) as cache_hit,
    max(attempt) as attempt
from members
group by told_key
