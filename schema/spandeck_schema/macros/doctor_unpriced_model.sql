-- grain: a service, provider and model with usage but no price; what has a price but lacks a count is no_usage
create or replace macro store.doctor_unpriced_model(since) as table
    select
        'unpriced_model' as fix_key,
        'unpriced_model' as finding,
        'error' as grade,
        service,
        list(distinct scope) as scopes,
        coalesce(provider || '/', '') || coalesce(model, 'no model') as detail,
        count(*) filter (where is_unpriced) as affected_count,
        count(*) as total_count,
        any_value(trace_id) filter (where is_unpriced) as example_trace_id,
        any_value(span_id) filter (where is_unpriced) as example_span_id,
        format(
            '{:,} of {:,} calls of {} have tokens but no price: {:,} tokens are missing from every cost.',
            affected_count, total_count, detail, cast(sum(tokens) filter (where is_unpriced) as bigint)
        ) as message
    from (
        select
            calls.trace_id,
            calls.span_id,
            calls.service,
            calls.scope,
            calls.provider,
            coalesce(calls.response_model, calls.request_model) as model,
            coalesce(calls.input_tokens, 0) + coalesce(calls.output_tokens, 0) as tokens,
            calls.cost_usd is null
            and (
                store.price_tier(calls.service_tier) = 'standard'
                or coalesce(answered.price_model, asked.price_model) is null
            )
            and (
                coalesce(answered.price_model, asked.price_model) is null
                or (
                    calls.input_tokens is not null
                    and (calls.output_tokens is not null or calls.kind = 'embedding')
                )
            ) as is_unpriced
        from store.calls
        left join store.price_models as answered
            on
                coalesce(calls.provider, '') = answered.provider
                and calls.response_model = answered.model
                and answered.used_to = store.ever()
        left join store.price_models as asked
            on
                coalesce(calls.provider, '') = asked.provider
                and calls.request_model = asked.model
                and asked.used_to = store.ever()
        where
            calls.counted
            and calls.kind != 'tool'
            and coalesce(calls.input_tokens, calls.output_tokens) is not null
            and calls.first_received_at >= since
    ) as used
    group by service, provider, model
    having affected_count > 0;
