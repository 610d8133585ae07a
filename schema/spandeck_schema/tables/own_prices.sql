-- grain: one row, the user's prices.toml as it was read last; empty when there is none
create table if not exists store.own_prices (
    text varchar not null
);
