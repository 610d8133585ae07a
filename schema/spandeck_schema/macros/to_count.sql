-- grain: a count from 0 to 1e12 sent as integer, float or text; NULL for anything else
create or replace macro store.to_count(value) as
case when try_cast(value as double) between 0 and 1e12 then cast(try_cast(value as double) as bigint) end;
