-- grain: upgrade to version 007: prices by service tier, time of day and time of use, more buckets, budgets
-- What was priced keeps its price: the rows of before hold until the prices are read again at the next start.
alter table store.spans add column service_tier varchar;
alter table store.calls add column service_tier varchar;
alter table store.prices rename to prices_before;
create table store.prices (
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
insert into store.prices (
    price_id, price_model, model_pattern, service_tier, valid_from, valid_to, from_minute, to_minute,
    from_input_tokens, to_input_tokens, input_usd_per_mtok, cache_read_usd_per_mtok, cache_write_usd_per_mtok,
    output_usd_per_mtok, source, used_from, used_to
)
select
    price_id,
    price_model,
    price_model as model_pattern,
    'standard' as service_tier,
    valid_from,
    valid_to,
    0 as from_minute,
    1440 as to_minute,
    from_input_tokens,
    to_input_tokens,
    input_usd_per_mtok,
    cache_read_usd_per_mtok,
    cache_write_usd_per_mtok,
    output_usd_per_mtok,
    source,
    timestamp '1970-01-01' as used_from,
    timestamp '9999-01-01' as used_to
from store.prices_before;
drop table store.prices_before;
alter table store.price_models rename to price_models_before;
create table store.price_models (
    provider varchar not null,
    model varchar not null,
    price_model varchar,
    used_from timestamp not null,
    used_to timestamp not null
);
insert into store.price_models
select
    *,
    timestamp '1970-01-01' as used_from,
    timestamp '9999-01-01' as used_to
from store.price_models_before;
drop table store.price_models_before;
create table if not exists store.own_prices (text varchar not null);
create table if not exists store.budgets (
    budget varchar not null,
    period varchar not null,
    time_zone varchar not null,
    service varchar,
    agent_name varchar,
    user_id varchar,
    model varchar,
    soft_usd double,
    hard_usd double
);
update store.about set prices_source = 'before version 7';
