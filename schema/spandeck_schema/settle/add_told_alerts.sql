-- grain: one alert that the program raised and no rule of the store
insert into fired_alerts by name
select told_alerts.*
from told_alerts
anti join fired_alerts using (alert_key)
