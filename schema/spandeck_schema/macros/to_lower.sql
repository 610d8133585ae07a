-- grain: an attribute's text in lower case, or NULL when it is absent or blank
create or replace macro store.to_lower(value) as nullif(lower(trim(value)), '');
