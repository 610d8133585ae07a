-- grain: upgrade to version 006: queries can be saved under a name
create table store.saved_queries (
    name varchar not null,
    sql varchar not null,
    created_at timestamp not null
);
