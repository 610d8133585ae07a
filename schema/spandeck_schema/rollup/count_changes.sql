-- grain: one row, how many changes wait to be merged
select count(*) as change_count
from store.rollup_hour
where is_delta
