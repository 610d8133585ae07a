-- grain: one query that was saved under a name
create table if not exists store.saved_queries (
    name varchar not null,
    sql varchar not null,
    created_at timestamp not null
);
