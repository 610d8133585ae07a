-- grain: one merged group of a day
insert into store.rollup_day by name
select
    * exclude (level, begins_at),
    begins_at as day
from merged_groups
where level = 'day'
