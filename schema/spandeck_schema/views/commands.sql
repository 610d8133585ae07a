-- grain: one command that was run, done or failed
create or replace view main.commands as
select
    name,
    parameters,
    outcome,
    ran_at
from store.commands;
