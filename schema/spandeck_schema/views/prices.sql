-- grain: one bucket of a price: what tokens (or calls) of a model cost, from a date, input size and time of day on
create or replace view main.prices as
with buckets as (
    select
        prices.*,
        regexp_replace(price_model, '^prices\.toml:', '') as named,
        unnest([
            store.cost_part('input', null, input_usd_per_mtok, 1000000),
            store.cost_part('cache_read', null, cache_read_usd_per_mtok, 1000000),
            store.cost_part('cache_write', null, cache_write_usd_per_mtok, 1000000),
            store.cost_part('cache_write_1h', null, cache_write_1h_usd_per_mtok, 1000000),
            store.cost_part('audio_input', null, audio_input_usd_per_mtok, 1000000),
            store.cost_part('output', null, output_usd_per_mtok, 1000000),
            store.cost_part('audio_output', null, audio_output_usd_per_mtok, 1000000),
            store.cost_part('reasoning', null, reasoning_usd_per_mtok, 1000000),
            store.cost_part('request', null, request_usd, 1)
        ]) as told
    from store.each_price() as prices
)

select
    price_id,
    split_part(named, '/', 1) as provider,
    named[length(provider) + 2:] as model,
    model_pattern,
    told.bucket,
    service_tier,
    told.price_usd,
    told.per_count,
    nullif(valid_from, timestamp '1970-01-01') as valid_from,
    nullif(valid_to, store.ever()) as valid_to,
    from_input_tokens,
    case when to_input_tokens < 4611686018427387904 then to_input_tokens end as to_input_tokens,
    make_time(from_minute // 60, from_minute % 60, 0) as from_time,
    case when to_minute < 1440 then make_time(to_minute // 60, to_minute % 60, 0) end as to_time,
    source,
    used_to = store.ever() as is_present
from buckets
where told.price_usd is not null;
