-- grain: a minute of receipt, service, signal and reason of refusal; what is refused has no service
create or replace view main.ingest_by_minute as
select
    time_bucket(interval 1 minute, logged_at) as minute_at,
    service,
    signal,
    reason,
    cast(sum(received_count) as bigint) as received_count,
    cast(sum(stored_count) as bigint) as stored_count,
    cast(sum(duplicate_count) as bigint) as duplicate_count,
    cast(sum(refused_count) as bigint) as refused_count
from store.ingest_log
group by all;
