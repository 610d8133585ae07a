-- grain: what the receiver refused of one signal for one reason within about a second
insert into store.ingest_log
select
    make_timestamp(cast(?::ubigint // 1000 as bigint)) as logged_at,
    null as service,
    ? as signal,
    0 as received_count,
    0 as stored_count,
    0 as duplicate_count,
    ? as refused_count,
    ? as reason
