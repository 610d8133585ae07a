-- grain: one word of a person: an alert is acknowledged, or a rule and subject is to be quiet until then
create table if not exists store.alert_marks (
    kind varchar not null,
    rule varchar not null,
    subject varchar not null,
    alert_key varchar not null,
    marked_at timestamp not null,
    until_at timestamp
);
