-- grain: one alert that a late span of its trace disproved
delete from store.alerts
where
    trace_id in (select trace_id from touched_traces)
    and alert_key not in (select alert_key from fired_alerts)
