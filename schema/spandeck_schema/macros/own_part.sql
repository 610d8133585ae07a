-- grain: the tokens of a part of the input or output that has a price of its own; else 0, the whole's price holds
create or replace macro store.own_part(tokens, usd) as case when usd is null then 0 else coalesce(tokens, 0) end;
