-- grain: the JSON in a text: itself, the JSON in a JSON string, or a Python literal's twin; NULL for other text
-- Longer than any object of usage it is not looked at: a text is read again in every column.
create or replace macro store.json_of(value) as
case
    when value is null or value = '' or length(value) > 65536 then null
    when json_valid(value)
        then case
            when json_type(value) = 'VARCHAR' and json_valid(json_extract_string(value, '$'))
                then cast(json_extract_string(value, '$') as json)
            else cast(value as json)
        end
    when value[1] in ('{', '[')
        then try_cast(
            replace(
                replace(replace(replace(value, '''', '"'), 'None', 'null'), 'True', 'true'), 'False', 'false'
            ) as json
        )
end;
