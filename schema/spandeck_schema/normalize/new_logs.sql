-- grain: one incoming log record that is not stored yet, with the hash that knows it when it is sent again
-- Equal records of one request are different records; the copies of a resent request have the same numbers.
with numbered as (
    select
        arrival,
        occurred_at,
        xor(
            record_hash,
            cast(row_number() over (partition by request, occurred_at, record_hash order by arrival) as ubigint)
        ) as content_hash
    from incoming_logs
),

-- A record that does not say when it was written cannot be told from another one with the same words.
stored as (
    select
        log_records.occurred_at,
        log_records.content_hash
    from store.log_records
    where
        log_records.occurred_at >= (select min(numbered.occurred_at) from numbered)
        and log_records.occurred_at <= (select max(numbered.occurred_at) from numbered)
)

select
    min(numbered.arrival) as arrival,
    numbered.content_hash
from numbered
anti join stored
    on
        numbered.occurred_at = stored.occurred_at
        and numbered.content_hash = stored.content_hash
group by
    numbered.content_hash,
    numbered.occurred_at,
    case when numbered.occurred_at is null then numbered.arrival end
