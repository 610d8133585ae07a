-- grain: what one batch took in or one second refused, gathered by minute, later by hour; exporter, signal, reason
create table if not exists store.ingest_log (
    began_at timestamp not null,
    length_s bigint not null,
    logged_at timestamp not null,
    service varchar,
    sdk_name varchar,
    sdk_language varchar,
    sdk_version varchar,
    address varchar,
    signal varchar not null,
    received_count bigint not null,
    stored_count bigint not null,
    duplicate_count bigint not null,
    refused_count bigint not null,
    reason varchar
);
