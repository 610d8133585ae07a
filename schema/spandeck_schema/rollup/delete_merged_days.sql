-- grain: one row of a day that merged_groups holds anew
delete from store.rollup_day
where day in (select date_trunc('day', hour) from merged_hours)
