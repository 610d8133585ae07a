-- grain: one row of a touched trace
insert into store.agent_runs by name
select * from settled_runs
