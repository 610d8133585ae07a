-- grain: a list of texts sent as an array, as JSON in a text or as one bare text; NULL when absent or empty
create or replace macro store.to_list(value) as
case
    when nullif(trim(value), '') is null then null
    when trim(value) like '[%' and json_valid(value) then nullif(json_extract_string(value, '$[*]'), [])
    else [trim(value)]
end;
