-- grain: one alert that a late span of its trace disproved
delete from store.alerts
where
    noticed_at >= (select min(known_since) from touched_traces)
    and trace_id in (select trace_id from touched_traces where known_since is not null)
    and follows_trace
    and raised_by = 'store'
    and alert_key not in (select alert_key from fired_alerts)
