-- grain: one row that gathered_ingest_log has taken in
delete from store.ingest_log
where
    length_s <= $length_s
    and began_at < $until
    and began_at >= (
        select date_trunc($unit, min(shorter.began_at))
        from store.ingest_log as shorter
        where shorter.length_s < $length_s and shorter.began_at < $until
    )
