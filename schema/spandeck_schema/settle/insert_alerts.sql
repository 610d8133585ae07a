-- grain: one alert that was not there
insert into store.alerts by name
with known as (
    select alert_key
    from store.alerts
    where noticed_at >= (select min(known_since) from touched_traces)
)

select fired_alerts.*
from fired_alerts
anti join known using (alert_key)
