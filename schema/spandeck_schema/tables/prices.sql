-- grain: one price of a model in one span of use, for a service tier, from a date, time of day and input size on
-- Rates are USD per million tokens, request_usd is USD a call. A price holds for calls whose trace began to arrive from
-- used_from until before used_to: a changed price is another row under another id, and what is stored keeps its price.
-- Rows of one id have the same rates from the same begin.
create table if not exists store.prices (
    price_id varchar not null,
    price_model varchar not null,
    model_pattern varchar not null,
    service_tier varchar not null,
    valid_from timestamp not null,
    valid_to timestamp not null,
    from_minute smallint not null,
    to_minute smallint not null,
    from_input_tokens bigint not null,
    to_input_tokens bigint not null,
    input_usd_per_mtok double,
    cache_read_usd_per_mtok double,
    cache_write_usd_per_mtok double,
    cache_write_1h_usd_per_mtok double,
    audio_input_usd_per_mtok double,
    output_usd_per_mtok double,
    audio_output_usd_per_mtok double,
    reasoning_usd_per_mtok double,
    request_usd double,
    source varchar not null,
    used_from timestamp not null,
    used_to timestamp not null
);
