-- grain: a minute or hour ($unit) of one exporter, signal and reason, from the shorter rows before $until
select
    date_trunc($unit, began_at) as began_at,
    $length_s as length_s,
    max(logged_at) as logged_at,
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
    reason
from store.ingest_log
where
    length_s <= $length_s
    and began_at < $until
    -- Rows of this length that stand where a shorter one begins take it in.
    and began_at >= (
        select date_trunc($unit, min(shorter.began_at))
        from store.ingest_log as shorter
        where shorter.length_s < $length_s and shorter.began_at < $until
    )
group by date_trunc($unit, began_at), service, sdk_name, sdk_language, sdk_version, address, signal, reason
