-- grain: one (provider, model) as spans name them, and the priced model that it means; price_model NULL is unpriced
-- A meaning holds for traces that began to arrive from used_from until before used_to.
create table if not exists store.price_models (
    provider varchar not null,
    model varchar not null,
    price_model varchar,
    used_from timestamp not null,
    used_to timestamp not null
);
