-- grain: one alert of the store's rule that the program raised too
update fired_alerts
set raised_by = 'both'
from told_alerts
where fired_alerts.alert_key = told_alerts.alert_key
