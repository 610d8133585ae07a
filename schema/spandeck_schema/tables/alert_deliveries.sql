-- grain: one message about an alert to a channel
create table if not exists store.alert_deliveries (
    alert_key varchar not null,
    channel varchar not null,
    rule varchar not null,
    subject varchar not null,
    state varchar not null,
    attempt_count bigint not null,
    next_attempt_at timestamp not null,
    error varchar,
    noticed_at timestamp not null,
    updated_at timestamp not null
);
