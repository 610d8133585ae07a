-- grain: one query that was saved under a name
create or replace view main.saved_queries as
select
    name,
    sql,
    created_at
from store.saved_queries;
