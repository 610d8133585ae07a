-- grain: whether a time of the range lies in an hour that is not in the range as a whole
create or replace macro store.is_of_edge(started_at, since, until) as
started_at >= date_trunc('hour', cast(until as timestamp))
or date_trunc('hour', started_at) < cast(since as timestamp);
