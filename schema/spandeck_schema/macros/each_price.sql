-- grain: one price id, with the validity that it has now or had last; rows of one id differ in nothing else
create or replace macro store.each_price() as table
    from store.prices
    qualify row_number() over (partition by price_id order by used_to desc, used_from desc) = 1;
