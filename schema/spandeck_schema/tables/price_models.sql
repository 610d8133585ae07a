-- grain: one (provider, model) as spans name them, and the priced model that it means; price_model NULL is unpriced
create table if not exists store.price_models (
    provider varchar not null,
    model varchar not null,
    price_model varchar
);
