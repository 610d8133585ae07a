-- grain: one row of a touched trace
insert into store.calls by name
select * from settled_calls
