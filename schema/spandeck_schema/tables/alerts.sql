-- grain: one alert: of a rule about spans one a span or trace, of a rule about a window one from pending to resolved
create table if not exists store.alerts (
    rule varchar not null,
    severity varchar not null,
    subject varchar not null,
    message varchar not null,
    value double,
    threshold double,
    fired_at timestamp,
    resolved_at timestamp,
    state varchar not null,
    trace_id varchar,
    span_id varchar,
    alert_key varchar not null,
    pending_at timestamp not null,
    quiet_at timestamp,
    last_at timestamp not null,
    repeat_count bigint not null,
    raised_by varchar not null,
    follows_trace boolean not null,
    noticed_at timestamp not null
);
