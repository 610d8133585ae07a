-- grain: a service, scope and way of answering, whole or streamed, with model calls that succeeded without their tokens
create or replace macro store.doctor_no_usage(since) as table
    select
        case when streamed then 'no_usage_of_stream' else 'no_usage' end as fix_key,
        'no_usage' as finding,
        'error' as grade,
        service,
        [scope] as scopes,
        scope as detail,
        count(*) filter (where lacks_tokens) as affected_count,
        count(*) as total_count,
        any_value(trace_id) filter (where lacks_tokens) as example_trace_id,
        any_value(span_id) filter (where lacks_tokens) as example_span_id,
        format(
            '{:,} of {:,} successful {}model calls of {} tell {}: their cost is unknown.',
            affected_count,
            total_count,
            case when streamed then 'streamed ' else '' end,
            coalesce(scope, 'no scope'),
            case when bool_or(lacks_tokens and has_tokens) then 'not all of their tokens' else 'no tokens' end
        ) as message
    from (
        select
            trace_id,
            span_id,
            service,
            scope,
            coalesce(streamed, false) as streamed,
            input_tokens is null or output_tokens is null as lacks_tokens,
            coalesce(input_tokens, output_tokens) is not null as has_tokens
        from store.calls
        where
            counted
            and kind = 'llm'
            and status = 'ok'
            and duration_ms is not null
            and cache_hit is not true
            and first_received_at >= since
    ) as answered
    group by service, scope, streamed
    having affected_count > 0;
