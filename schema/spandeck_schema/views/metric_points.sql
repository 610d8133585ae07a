-- grain: one received metric point
create or replace view main.metric_points as
select * from store.metric_points;
