-- grain: one bucket of a price: what tokens (or calls) of a model cost, from a date, input size and time of day on
create or replace view main.prices as
with buckets as (
    select
        prices.*,
        unnest([
            {'bucket': 'input', 'price_usd': input_usd_per_mtok, 'per_count': 1000000},
            {'bucket': 'cache_read', 'price_usd': cache_read_usd_per_mtok, 'per_count': 1000000},
            {'bucket': 'cache_write', 'price_usd': cache_write_usd_per_mtok, 'per_count': 1000000},
            {'bucket': 'cache_write_1h', 'price_usd': cache_write_1h_usd_per_mtok, 'per_count': 1000000},
            {'bucket': 'audio_input', 'price_usd': audio_input_usd_per_mtok, 'per_count': 1000000},
            {'bucket': 'output', 'price_usd': output_usd_per_mtok, 'per_count': 1000000},
            {'bucket': 'audio_output', 'price_usd': audio_output_usd_per_mtok, 'per_count': 1000000},
            {'bucket': 'reasoning', 'price_usd': reasoning_usd_per_mtok, 'per_count': 1000000},
            {'bucket': 'request', 'price_usd': request_usd, 'per_count': 1}
        ]) as told
    from store.each_price() as prices
)

select
    price_id,
    split_part(price_model, '/', 1) as provider,
    price_model[length(provider) + 2:] as model,
    model_pattern,
    told.bucket,
    service_tier,
    told.price_usd,
    cast(told.per_count as bigint) as per_count,
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
