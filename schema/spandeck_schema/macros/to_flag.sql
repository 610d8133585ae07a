-- grain: a boolean sent as boolean, text or 0 and 1; NULL for anything else
create or replace macro store.to_flag(value) as
case lower(trim(value)) when 'true' then true when '1' then true when 'false' then false when '0' then false end;
