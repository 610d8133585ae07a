-- grain: a provider and model of the traffic: its cost, and what the same calls had cost with another model
-- Tokens as they were, at the standard tier and the present prices of each call's time. what_if_model is NULL where the
-- name means no priced model.
create or replace macro main.what_if(target) as table
    with meant as (select store.meant_price(target) as price_model)

    select
        calls.provider,
        coalesce(calls.response_model, calls.request_model) as model,
        any_value(meant.price_model) as what_if_model,
        count(*) as call_count,
        count(*) filter (where calls.cost_usd is null) as unpriced_call_count,
        sum(calls.cost_usd) as cost_usd,
        sum(
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
            )
        ) as what_if_cost_usd,
        what_if_cost_usd - sum(calls.cost_usd) filter (where calls.cost_usd is not null and prices.price_id is not null)
            as difference_usd
    from store.calls
    cross join meant
    left join store.prices
        on
            meant.price_model = prices.price_model
            and prices.service_tier = 'standard'
            and calls.started_at >= prices.valid_from
            and calls.started_at < prices.valid_to
            and store.minute_of_day(calls.started_at) >= prices.from_minute
            and store.minute_of_day(calls.started_at) < prices.to_minute
            and calls.input_tokens >= prices.from_input_tokens
            and calls.input_tokens < prices.to_input_tokens
            and prices.used_to = store.ever()
    where
        calls.counted
        and calls.kind = 'llm'
        and coalesce(calls.input_tokens, calls.output_tokens) is not null
    group by all;
