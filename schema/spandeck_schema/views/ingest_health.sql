-- grain: an exporter and signal; refusals stand apart, by reason and without exporter, as what is refused is not read
create or replace view main.ingest_health as
select
    service,
    sdk_name,
    sdk_language,
    sdk_version,
    address,
    signal,
    cast(sum(received_count) as bigint) as received_count,
    cast(sum(stored_count) as bigint) as stored_count,
    cast(sum(duplicate_count) as bigint) as duplicate_count,
    cast(sum(refused_count) as bigint) as refused_count,
    max(logged_at) filter (where received_count > 0) as last_received_at,
    reason as refusal_reason,
    max(logged_at) filter (where refused_count > 0) as last_refused_at
from store.ingest_log
group by all;
