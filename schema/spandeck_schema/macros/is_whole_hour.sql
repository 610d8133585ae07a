-- grain: whether the hour at `hour` lies in the range as a whole
create or replace macro store.is_whole_hour(hour, since, until) as
hour >= cast(since as timestamp)
and hour < date_trunc('hour', cast(until as timestamp));
