-- grain: an attribute's text, or NULL when it is absent or blank
create or replace macro store.to_text(value) as nullif(trim(value), '');
