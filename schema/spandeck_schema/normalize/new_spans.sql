-- grain: one incoming span that is not stored yet, in canonical columns
with timed as (
    select
        * exclude (started_ns, ended_ns, from_log, dropped_count, first_token_at, choice_finish_reasons) replace (
            -- A parent of zeros is how some emitters write none; a span cannot be its own parent.
            nullif(nullif(parent_span_id, '0000000000000000'), span_id) as parent_span_id,
            -- Cut here, so that normalizing again from the stored text comes to the same.
            store.to_text(store.to_text(status_message)[:2048]) as status_message,
            coalesce(finish_reasons, choice_finish_reasons) as finish_reasons,
            -- Some tell what was written to the cache only by how long it is kept.
            coalesce(
                mapped_spans.cache_write_tokens,
                coalesce(mapped_spans.cache_write_5m_tokens, 0) + mapped_spans.cache_write_1h_tokens,
                mapped_spans.cache_write_5m_tokens
            ) as cache_write_tokens,
            coalesce(
                mapped_spans.cache_write_1h_tokens,
                case
                    when mapped_spans.cache_write_tokens > mapped_spans.cache_write_5m_tokens
                        then mapped_spans.cache_write_tokens - mapped_spans.cache_write_5m_tokens
                end
            ) as cache_write_1h_tokens
        ),
        -- A start before 2000 is a clock that was never set: the span is shown at its end, or when it came.
        started_ns >= 946684800000000000 as has_start,
        case when ended_ns > 0 then make_timestamp(cast(ended_ns // 1000 as bigint)) end as ended_at,
        -- What a time stamp of microseconds leaves out.
        cast(case when has_start then started_ns % 1000 end as usmallint) as started_rest_ns,
        cast(case when ended_ns > 0 then ended_ns % 1000 end as usmallint) as ended_rest_ns,
        case
            when has_start then make_timestamp(cast(started_ns // 1000 as bigint))
            else coalesce(ended_at, received_at)
        end as started_at,
        -- The duration of a span that never began or ended, or ended before it began, is unknown.
        case when has_start and ended_ns >= started_ns then (ended_ns - started_ns) / 1e6 end as duration_ms,
        coalesce(time_to_first_token_ms, (epoch_us(first_token_at) - epoch_us(started_at)) / 1000.0) as first_token_ms,
        list_filter(
            [
                case when not has_start then 'no_start' end,
                case when ended_ns = 0 then 'incomplete' end,
                case when ended_ns > 0 and ended_ns < started_ns then 'clock_skew' end,
                case when started_at > received_at + interval 10 minute then 'future' end,
                case when from_log then 'from_log' end,
                case when dropped_count > 0 then 'truncated' end
            ],
            lambda flag: flag is not null
        ) as flags
    from mapped_spans
    inner join new_arrivals using (arrival)
),

placed as (
    select
        timed.* replace (
            coalesce(
                kind,
                case
                    when request_model is not null and coalesce(input_tokens, output_tokens) is not null then 'llm'
                    when tool_name is not null then 'tool'
                    else 'other'
                end
            ) as kind,
            -- A first or last token outside the span is a wrong unit or a wrong clock.
            case
                when first_token_ms between 0 and duration_ms + 1 then first_token_ms
            end as time_to_first_token_ms,
            case
                when time_to_last_token_ms between 0 and duration_ms + 1 then time_to_last_token_ms
            end as time_to_last_token_ms,
            coalesce(status_message, error_message, exception_message)[:2048] as error_message,
            coalesce(provider, store.provider_of_model(coalesce(response_model, request_model))) as provider
        ),
        case
            when otel_status = 'ERROR' or error_type is not null or failed then 'error'
            else 'ok'
        end as status,
        case when not error_code glob '[123][0-9][0-9]' then error_code end as failure_code,
        coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0) as cached_tokens
    from timed
),

judged as (
    select
        *,
        -- More cached tokens than input, or a total that has them apart: the input count leaves them out.
        case
            when input_tokens is null then null
            when
                excludes_cached
                or cached_tokens > input_tokens
                or (cached_tokens > 0 and total_tokens = input_tokens + coalesce(output_tokens, 0) + cached_tokens)
                then 'added'
            when cached_tokens > 0 and family = 'other' then 'unknown'
            else 'inclusive'
        end as usage_basis
    from placed
)

select
    arrival,
    trace_id,
    span_id,
    parent_span_id,
    service,
    service_version,
    service_instance,
    environment,
    project,
    scope,
    scope_version,
    family,
    name,
    otel_kind,
    kind,
    coalesce(operation, name) as operation,
    provider,
    request_model,
    response_model,
    response_id,
    case when kind = 'agent' then coalesce(agent_name, store.agent_of_span(name)) else agent_name end as agent_name,
    agent_id,
    workflow,
    case when kind in ('tool', 'mcp') then coalesce(tool_name, name) end as tool_name,
    tool_call_id,
    tool_type,
    case when kind in ('tool', 'mcp') then md5(tool_input) end as tool_input_hash,
    nullif(handoff_from_agent, 'unknown') as handoff_from_agent,
    nullif(store.handoff_target(tool_name, tool_input, handoff_to_agent), 'unknown') as handoff_to_agent,
    session_id,
    user_id,
    run_id,
    architecture,
    step,
    started_at,
    ended_at,
    started_rest_ns,
    ended_rest_ns,
    duration_ms,
    time_to_first_token_ms,
    case when kind = 'llm' then coalesce(time_to_last_token_ms, duration_ms) end as time_to_last_token_ms,
    coalesce(streamed, case when time_to_first_token_ms is not null then true end) as streamed,
    status,
    otel_status,
    case
        when status = 'error' then store.error_name(coalesce(error_type, exception_type, failure_code, '_OTHER'))
    end as error_type,
    case when status = 'error' then error_message end as error_message,
    status_message,
    had_exception,
    finish_reasons,
    case when usage_basis = 'added' then input_tokens + cached_tokens else input_tokens end as input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    cache_write_1h_tokens,
    reasoning_tokens,
    audio_input_tokens,
    audio_output_tokens,
    service_tier,
    usage_basis,
    usage_source,
    judges_parent,
    reported_cost_usd,
    cache_hit,
    cache_kind,
    cache_saved_usd,
    attempt,
    loop_count,
    memory_tier,
    guard_action,
    route_tier,
    degraded,
    flags,
    received_at
from judged
