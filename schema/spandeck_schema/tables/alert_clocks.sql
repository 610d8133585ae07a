-- grain: one alert rule that is judged between batches, and how far it has come
create table if not exists store.alert_clocks (
    rule varchar not null,
    digest varchar not null,
    evaluated_until timestamp not null,
    received_until timestamp not null,
    seen_subjects varchar not null
);
