-- grain: one row, what this store is
create or replace view main.about as
select
    schema_version,
    prices_source,
    store.present_mapping() as mapping,
    normalized_by,
    normalized_at,
    normalized_by = mapping as is_normalized,
    case
        when not is_normalized
            then 'Stored spans were normalized by an older mapping: run `spandeck normalize --since all`.'
    end as advice
from store.about;
