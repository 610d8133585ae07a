-- grain: one merged group of an hour
insert into store.rollup_hour by name
select
    * exclude (level, begins_at),
    begins_at as hour,
    false as is_delta
from merged_groups
where level = 'hour'
