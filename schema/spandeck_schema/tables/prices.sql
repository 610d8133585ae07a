-- grain: one price of a model, from a date on and from an input size on, in USD per million tokens
create table if not exists store.prices (
    price_id varchar not null,
    price_model varchar not null,
    valid_from timestamp not null,
    valid_to timestamp not null,
    from_input_tokens bigint not null,
    to_input_tokens bigint not null,
    input_usd_per_mtok double,
    output_usd_per_mtok double,
    cache_read_usd_per_mtok double,
    cache_write_usd_per_mtok double,
    source varchar not null
);
