-- grain: one query that was saved under a name, by name
select
    name,
    sql
from saved_queries
order by name asc
limit 1000
