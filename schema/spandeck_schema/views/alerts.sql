-- grain: one alert of the feed
create or replace view main.alerts as
select * exclude (alert_key)
from store.alerts;
