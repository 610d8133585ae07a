-- grain: one alert that was not there
insert into store.alerts by name
select fired_alerts.*
from fired_alerts
anti join store.alerts using (alert_key)
