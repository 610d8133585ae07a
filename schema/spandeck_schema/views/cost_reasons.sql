-- grain: one bucket of a counted call with a cost: its tokens, their price, and the product
create or replace view main.cost_reasons as
with counts as (
    select
        calls.trace_id,
        calls.span_id,
        calls.started_at,
        calls.cost_usd,
        prices.*,
        store.own_part(calls.cache_write_1h_tokens, prices.cache_write_1h_usd_per_mtok) as cache_write_1h_count,
        store.own_part(calls.audio_input_tokens, prices.audio_input_usd_per_mtok) as audio_input_count,
        store.own_part(calls.audio_output_tokens, prices.audio_output_usd_per_mtok) as audio_output_count,
        store.own_part(calls.reasoning_tokens, prices.reasoning_usd_per_mtok) as reasoning_count,
        coalesce(calls.cache_read_tokens, 0) as cache_read_count,
        greatest(coalesce(calls.cache_write_tokens, 0) - cache_write_1h_count, 0) as cache_write_count,
        greatest(
            calls.input_tokens - cache_read_count - coalesce(calls.cache_write_tokens, 0) - audio_input_count, 0
        ) as input_count,
        greatest(coalesce(calls.output_tokens, 0) - audio_output_count - reasoning_count, 0) as output_count
    from store.calls
    inner join store.each_price() as prices using (price_id)
    where calls.counted
),

buckets as (
    select
        trace_id,
        span_id,
        started_at,
        price_id,
        source,
        cost_usd,
        unnest([
            store.cost_part('input', input_count, input_usd_per_mtok, 1000000),
            store.cost_part(
                'cache_read', cache_read_count, coalesce(cache_read_usd_per_mtok, input_usd_per_mtok), 1000000
            ),
            store.cost_part(
                'cache_write', cache_write_count, coalesce(cache_write_usd_per_mtok, input_usd_per_mtok), 1000000
            ),
            store.cost_part('cache_write_1h', cache_write_1h_count, cache_write_1h_usd_per_mtok, 1000000),
            store.cost_part('audio_input', audio_input_count, audio_input_usd_per_mtok, 1000000),
            store.cost_part('output', output_count, output_usd_per_mtok, 1000000),
            store.cost_part('audio_output', audio_output_count, audio_output_usd_per_mtok, 1000000),
            store.cost_part('reasoning', reasoning_count, reasoning_usd_per_mtok, 1000000),
            store.cost_part('request', case when request_usd is null then 0 else 1 end, request_usd, 1)
        ]) as part
    from counts
)

select
    trace_id,
    span_id,
    started_at,
    part.bucket,
    part.unit_count,
    part.price_usd,
    part.per_count,
    part.unit_count * part.price_usd / part.per_count as amount_usd,
    format(
        '{:,} {} * ${:g} / {:,} = ${:.6g}',
        part.unit_count,
        case when part.bucket = 'request' then 'request' else part.bucket || ' tokens' end,
        part.price_usd,
        part.per_count,
        amount_usd
    ) as calculation,
    price_id,
    source
from buckets
where part.unit_count > 0 and part.price_usd is not null;
