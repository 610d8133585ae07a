-- grain: what one batch took in or one second refused, by service, signal and reason
create table if not exists store.ingest_log (
    logged_at timestamp not null,
    service varchar,
    signal varchar not null,
    received_count bigint not null,
    stored_count bigint not null,
    duplicate_count bigint not null,
    refused_count bigint not null,
    reason varchar
);
