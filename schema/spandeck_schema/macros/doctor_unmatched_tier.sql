-- grain: a service, model and service tier of calls that have a price at the standard tier, but none at theirs
create or replace macro store.doctor_unmatched_tier(since) as table
    select
        'unmatched_price_context' as fix_key,
        'unmatched_price_context' as finding,
        'error' as grade,
        calls.service,
        list(distinct calls.scope) as scopes,
        coalesce(calls.provider || '/', '') || coalesce(calls.response_model, calls.request_model)
        || ' at ' || store.price_tier(calls.service_tier) as detail,
        count(*) as affected_count,
        count(*) as total_count,
        any_value(calls.trace_id) as example_trace_id,
        any_value(calls.span_id) as example_span_id,
        format(
            '{:,} calls of {} have a price at the standard tier only: {:,} tokens are missing from every cost.',
            affected_count,
            detail,
            cast(sum(coalesce(calls.input_tokens, 0) + coalesce(calls.output_tokens, 0)) as bigint)
        ) as message
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
        and calls.cost_usd is null
        and calls.input_tokens is not null
        and (calls.output_tokens is not null or calls.kind = 'embedding')
        and calls.first_received_at >= since
        and store.price_tier(calls.service_tier) != 'standard'
        and coalesce(answered.price_model, asked.price_model) in (
            select prices.price_model from store.prices where prices.service_tier = 'standard'
        )
    group by
        calls.service,
        calls.provider,
        coalesce(calls.response_model, calls.request_model),
        store.price_tier(calls.service_tier);
