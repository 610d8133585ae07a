-- grain: the cost of one call in USD; NULL when usage or a needed price is unknown
-- input_tokens includes cached reads and writes, output_tokens includes reasoning; a bucket without a price of its own
-- costs what plain input costs (genai-prices counts it so, too).
create or replace macro store.cost_usd(
    kind, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    input_usd_per_mtok, output_usd_per_mtok, cache_read_usd_per_mtok, cache_write_usd_per_mtok
) as case
    when input_tokens is null or input_usd_per_mtok is null then null
    when output_tokens is null and kind != 'embedding' then null
    when output_tokens > 0 and output_usd_per_mtok is null then null
    else (
        greatest(input_tokens - coalesce(cache_read_tokens, 0) - coalesce(cache_write_tokens, 0), 0)
        * input_usd_per_mtok
        + coalesce(cache_read_tokens, 0) * coalesce(cache_read_usd_per_mtok, input_usd_per_mtok)
        + coalesce(cache_write_tokens, 0) * coalesce(cache_write_usd_per_mtok, input_usd_per_mtok)
        + coalesce(output_tokens, 0) * coalesce(output_usd_per_mtok, 0)
    ) / 1e6
end;
