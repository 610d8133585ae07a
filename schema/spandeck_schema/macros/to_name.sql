-- grain: an attribute's text that spans below or beside take over: at most 1,024 characters
create or replace macro store.to_name(value) as nullif(left(trim(value), 1024), '');
