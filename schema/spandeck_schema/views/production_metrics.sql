-- grain: a service that requests (traces) entered, over all that is stored
create or replace view main.production_metrics as
select * from main.production_metrics_between(null, null);
