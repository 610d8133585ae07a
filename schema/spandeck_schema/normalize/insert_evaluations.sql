-- grain: one result of an evaluation that new spans or logs tell
insert into store.evaluations by name
select * from new_evaluations
