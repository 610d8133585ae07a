-- grain: one alert rule in force, or one that is broken and why
create or replace view main.alert_rules as
select
    rule,
    source,
    severity,
    judged,
    window_s,
    interval_s,
    for_s,
    cool_down_s,
    minimum_volume,
    no_data,
    message,
    case when error is null then 'active' else 'broken' end as state,
    error,
    error_line,
    query
from store.alert_rules;
