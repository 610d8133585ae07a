-- grain: what the receiver refused of one signal for one reason within about a second
insert into store.ingest_log by name
select
    make_timestamp($last_at_ns // 1000) as began_at,
    0 as length_s,
    began_at as logged_at,
    $signal as signal,
    0 as received_count,
    0 as stored_count,
    0 as duplicate_count,
    $count as refused_count,
    $reason as reason
