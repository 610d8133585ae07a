-- grain: a service and an objective, over all that is stored; not reported: attained_ratio NULL
create or replace view main.service_objectives as
select * from main.service_objectives_between(null, null);
