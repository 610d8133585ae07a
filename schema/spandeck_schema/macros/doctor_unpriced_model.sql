-- grain: a service, provider and model with usage but no price
create or replace macro store.doctor_unpriced_model(since) as table
    select
        'unpriced_model' as fix_key,
        'unpriced_model' as finding,
        'error' as grade,
        service,
        list(distinct scope) as scopes,
        coalesce(provider || '/', '') || coalesce(model, 'no model') as detail,
        count(*) filter (where cost_usd is null) as affected_count,
        count(*) as total_count,
        any_value(trace_id) filter (where cost_usd is null) as example_trace_id,
        any_value(span_id) filter (where cost_usd is null) as example_span_id,
        format(
            '{:,} of {:,} calls of {} have tokens but no price: {:,} tokens are missing from every cost.',
            affected_count, total_count, detail, cast(sum(tokens) filter (where cost_usd is null) as bigint)
        ) as message
    from (
        select
            trace_id,
            span_id,
            service,
            scope,
            provider,
            coalesce(response_model, request_model) as model,
            cost_usd,
            coalesce(input_tokens, 0) + coalesce(output_tokens, 0) as tokens
        from store.calls
        where
            counted
            and kind != 'tool'
            and coalesce(input_tokens, output_tokens) is not null
            and first_received_at >= since
    ) as used
    group by service, provider, model
    having affected_count > 0;
