-- grain: one row of the roll-ups, for the whole hours of a range; to be summed
-- Whole days are from rollup_day, with the changes to them that wait; the hours around them from rollup_hour.
create or replace macro store.groups_between(since, until) as table (
    select * exclude (is_delta)
    from store.rollup_hour
    where
        hour >= store.first_whole('hour', since)
        and hour < least(store.first_whole('day', since), date_trunc('hour', cast(until as timestamp)))
    union all by name
    select * exclude (is_delta)
    from store.rollup_hour
    where
        hour >= greatest(store.first_whole('day', since), date_trunc('day', cast(until as timestamp)))
        and hour < date_trunc('hour', cast(until as timestamp))
    union all by name
    select * exclude (is_delta)
    from store.rollup_hour
    where
        is_delta
        and hour >= store.first_whole('day', since)
        and hour < date_trunc('day', cast(until as timestamp))
    union all by name
    select
        * exclude (day),
        day as hour
    from store.rollup_day
    where
        day >= store.first_whole('day', since)
        and day < date_trunc('day', cast(until as timestamp))
);
