-- grain: one command that was run, done or failed
create table if not exists store.commands (
    name varchar not null,
    parameters varchar not null,
    outcome varchar not null,
    ran_at timestamp not null
);
