-- grain: one bucket of a call's cost: how many tokens (or requests), and what so many of them cost
create or replace macro store.cost_part(bucket, unit_count, price_usd, per_count) as {
    'bucket': bucket,
    'unit_count': cast(unit_count as bigint),
    'price_usd': cast(price_usd as double),
    'per_count': cast(per_count as bigint)
};
