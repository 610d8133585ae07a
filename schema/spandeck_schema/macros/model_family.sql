-- grain: a model without its provider's prefix and without the date of its release
create or replace macro store.model_family(model) as
regexp_replace(regexp_replace(lower(model), '^.*/', ''), '-(20[0-9]{6}|20[0-9]{2}-[0-9]{2}-[0-9]{2})$', '');
