-- grain: the cost of one call in USD; NULL when usage or a needed price is unknown
-- input_tokens includes cached reads and writes and audio, cache_write_tokens what is kept for an hour, output_tokens
-- reasoning and audio. A part without a price of its own costs what the whole costs (genai-prices counts it so, too).
-- The view cost_reasons shows the same sum part by part.
create or replace macro store.cost_usd(
    kind,
    input_tokens,
    cache_read_tokens,
    cache_write_tokens,
    cache_write_1h_tokens,
    audio_input_tokens,
    output_tokens,
    audio_output_tokens,
    reasoning_tokens,
    input_usd,
    cache_read_usd,
    cache_write_usd,
    cache_write_1h_usd,
    audio_input_usd,
    output_usd,
    audio_output_usd,
    reasoning_usd,
    request_usd
) as case
    when input_tokens is null or input_usd is null then null
    when output_tokens is null and kind != 'embedding' then null
    when output_tokens > 0 and output_usd is null then null
    else (
        greatest(
            input_tokens
            - coalesce(cache_read_tokens, 0)
            - coalesce(cache_write_tokens, 0)
            - store.own_part(audio_input_tokens, audio_input_usd),
            0
        ) * input_usd
        + coalesce(cache_read_tokens, 0) * coalesce(cache_read_usd, input_usd)
        + greatest(coalesce(cache_write_tokens, 0) - store.own_part(cache_write_1h_tokens, cache_write_1h_usd), 0)
        * coalesce(cache_write_usd, input_usd)
        + store.own_part(cache_write_1h_tokens, cache_write_1h_usd) * coalesce(cache_write_1h_usd, 0)
        + store.own_part(audio_input_tokens, audio_input_usd) * coalesce(audio_input_usd, 0)
        + greatest(
            coalesce(output_tokens, 0)
            - store.own_part(audio_output_tokens, audio_output_usd)
            - store.own_part(reasoning_tokens, reasoning_usd),
            0
        ) * coalesce(output_usd, 0)
        + store.own_part(audio_output_tokens, audio_output_usd) * coalesce(audio_output_usd, 0)
        + store.own_part(reasoning_tokens, reasoning_usd) * coalesce(reasoning_usd, 0)
    ) / 1e6 + coalesce(request_usd, 0)
end;
