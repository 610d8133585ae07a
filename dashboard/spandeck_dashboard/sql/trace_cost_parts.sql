-- grain: tokens of one kind at one price in the counted calls of a trace, dearest first
-- params: trace
select
    bucket,
    price_id,
    price_usd,
    per_count,
    any_value(source) as source,
    count(*) as call_count,
    cast(sum(unit_count) as bigint) as unit_count,
    sum(amount_usd) as amount_usd,
    sum(amount_usd) / nullif(sum(sum(amount_usd)) over (), 0) as amount_share
from cost_reasons
where trace_id = cast($trace as varchar)
group by bucket, price_id, price_usd, per_count
order by amount_usd desc, price_id asc, bucket asc
