-- grain: one alert; one a rule and subject, the subject being a span or a trace
create table if not exists store.alerts (
    rule varchar not null,
    severity varchar not null,
    subject varchar not null,
    message varchar not null,
    value double,
    threshold double,
    fired_at timestamp not null,
    resolved_at timestamp,
    state varchar not null,
    trace_id varchar,
    span_id varchar,
    alert_key varchar not null
);
