-- grain: one linked trace, settled with those that the batch touched
insert into touched_traces by name
select * from linked_traces
