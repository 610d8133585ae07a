-- grain: one stored model call with the price and cost that the prices told now would give it
-- Prices of before hold for what began to arrive while they were told: here those of now hold for all.
create or replace macro store.repriced_calls() as table
    select
        calls.trace_id,
        calls.span_id,
        calls.counted,
        calls.first_received_at,
        calls.started_at,
        calls.provider,
        coalesce(calls.response_model, calls.request_model) as model,
        calls.cost_usd,
        calls.price_id,
        store.cost_usd(
            calls.kind,
            calls.input_tokens,
            calls.cache_read_tokens,
            calls.cache_write_tokens,
            calls.cache_write_1h_tokens,
            calls.audio_input_tokens,
            calls.output_tokens,
            calls.audio_output_tokens,
            calls.reasoning_tokens,
            prices.input_usd_per_mtok,
            prices.cache_read_usd_per_mtok,
            prices.cache_write_usd_per_mtok,
            prices.cache_write_1h_usd_per_mtok,
            prices.audio_input_usd_per_mtok,
            prices.output_usd_per_mtok,
            prices.audio_output_usd_per_mtok,
            prices.reasoning_usd_per_mtok,
            prices.request_usd
        ) as present_cost_usd,
        case when present_cost_usd is not null then prices.price_id end as present_price_id
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
    left join store.prices
        on
            coalesce(answered.price_model, asked.price_model) = prices.price_model
            and store.price_tier(calls.service_tier) = prices.service_tier
            and calls.started_at >= prices.valid_from
            and calls.started_at < prices.valid_to
            and store.minute_of_day(calls.started_at) >= prices.from_minute
            and store.minute_of_day(calls.started_at) < prices.to_minute
            and calls.input_tokens >= prices.from_input_tokens
            and calls.input_tokens < prices.to_input_tokens
            and prices.used_to = store.ever()
    where
        calls.kind != 'tool'
        and coalesce(calls.input_tokens, calls.output_tokens) is not null;
