-- grain: upgrade to version 3: the ingest log by minute and exporter, and metric points known when sent again
alter table store.metric_points add column content_hash ubigint;
alter table store.ingest_log rename to ingest_log_before_3;
create table store.ingest_log (
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
insert into store.ingest_log by name
select
    date_trunc('minute', logged_at) as began_at,
    60 as length_s,
    max(logged_at) as logged_at,
    service,
    signal,
    cast(sum(received_count) as bigint) as received_count,
    cast(sum(stored_count) as bigint) as stored_count,
    cast(sum(duplicate_count) as bigint) as duplicate_count,
    cast(sum(refused_count) as bigint) as refused_count,
    reason
from store.ingest_log_before_3
group by date_trunc('minute', logged_at), service, signal, reason;
drop table store.ingest_log_before_3;
