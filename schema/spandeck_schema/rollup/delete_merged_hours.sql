-- grain: one row of an hour that merged_groups holds anew
delete from store.rollup_hour
where hour in (select hour from merged_hours)
