-- grain: an attribute's text that names something: at most 1,024 characters, since it is repeated on many rows
create or replace macro store.to_name(value) as nullif(left(trim(value), 1024), '');
