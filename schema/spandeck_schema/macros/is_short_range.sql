-- grain: whether percentiles of a range come from rows (up to 2 days) and not from the buckets of store.rollup_hour
create or replace macro store.is_short_range(since, until) as
epoch_us(cast(until as timestamp)) - epoch_us(cast(since as timestamp)) <= 2 * 86400000000;
