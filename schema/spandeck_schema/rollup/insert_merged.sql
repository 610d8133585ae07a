-- grain: one merged group of an hour
insert into store.rollup_hour by name
select * from merged_groups
