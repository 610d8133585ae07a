-- grain: a finite number sent as number or text; NULL for anything else
create or replace macro store.to_number(value) as
case when isfinite(try_cast(value as double)) then try_cast(value as double) end;
