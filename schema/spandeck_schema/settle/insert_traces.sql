-- grain: one row of a touched trace
insert into store.traces by name
select * from settled_traces
