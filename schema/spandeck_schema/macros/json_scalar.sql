-- grain: the text in a JSON string, or the text itself where it is no JSON
create or replace macro store.json_scalar(value) as
case when value[1] = '"' and json_valid(value) then json_extract_string(value, '$') else value end;
