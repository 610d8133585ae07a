-- grain: one row: the last span that started before now, and the range that reaches it; the future does not count
-- params: until, now
with
last_span as (
    select max(started_at) as last_started_at
    from spans
    where started_at < cast($now as timestamp)
),

age as (
    select
        last_started_at,
        epoch(cast($until as timestamp)) - epoch(last_started_at) as last_age_s
    from last_span
)

select
    last_started_at,
    last_age_s,
    case
        when last_age_s < 0 then null
        when last_age_s < 900 then '15m'
        when last_age_s < 3600 then '1h'
        when last_age_s < 21600 then '6h'
        when last_age_s < 86400 then '24h'
        when last_age_s < 604800 then '7d'
    end as range_that_holds_last
from age
