-- grain: one span of a touched trace, stored earlier or now
select * from stored_spans
union all by name
select * exclude (arrival) from new_spans
