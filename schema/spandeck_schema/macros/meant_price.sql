-- grain: the priced model that a name means in what_if
-- It may be provider/model, a model as calls name it, or a model's name alone.
-- Of several providers the maker's own list comes first, then the shortest name.
create or replace macro store.meant_price(target) as (
    select arg_min(price_model, (rank, length(price_model), price_model))
    from (
        select
            price_model,
            1 as rank
        from store.prices
        where price_model = target
        union all
        select
            price_model,
            2 as rank
        from store.price_models
        where model = target and price_model is not null and used_to = store.ever()
        union all
        select
            price_model,
            case
                when split_part(price_model, '/', 1) in ('openai', 'anthropic', 'google', 'mistral', 'x-ai', 'deepseek')
                    then 3
                else 4
            end as rank
        from store.prices
        where ends_with(price_model, '/' || target) and not starts_with(price_model, 'prices.toml:')
    ) as candidates
);
