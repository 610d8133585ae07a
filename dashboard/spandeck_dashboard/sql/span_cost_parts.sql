-- grain: one bucket of the tokens of a counted call: how many, their price, and the product, dearest first
-- params: trace, span
select
    bucket,
    calculation,
    amount_usd,
    price_id,
    source
from cost_reasons
where trace_id = cast($trace as varchar) and span_id = cast($span as varchar)
order by amount_usd desc, bucket asc
