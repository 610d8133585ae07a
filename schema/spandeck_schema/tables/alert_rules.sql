-- grain: one alert rule as it was loaded last, or the reason why it could not be
create table if not exists store.alert_rules (
    rule varchar not null,
    source varchar not null,
    severity varchar,
    judged varchar,
    window_s double,
    interval_s double,
    for_s double,
    cool_down_s double,
    minimum_volume bigint,
    no_data varchar,
    message varchar,
    query varchar,
    error varchar,
    error_line bigint
);
