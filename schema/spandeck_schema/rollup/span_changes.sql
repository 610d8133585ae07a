-- grain: one row of store.spans that the batch writes (sign 1) or deletes (sign -1); an unchanged one of a step is both
select
    1 as sign,
    * exclude (arrival)
from new_spans
union all by name
select
    -1 as sign,
    *
from replaced_spans
