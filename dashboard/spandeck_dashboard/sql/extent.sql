-- grain: one row about all that is stored and about the period
-- params: since, until
with
stored as (
    select
        count(*) as span_count,
        min(started_at) as first_started_at,
        max(started_at) as last_started_at
    from spans
),

period as (
    select
        count(*) as period_span_count,
        count(*) filter (
            where kind in ('agent', 'llm', 'embedding', 'tool', 'retriever', 'reranker', 'guardrail', 'mcp')
        ) as period_genai_span_count
    from spans
    where started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
),

age as (
    select epoch(cast($until as timestamp)) - epoch(last_started_at) as last_age_s from stored
)

select
    stored.*,
    period.*,
    age.last_age_s,
    case
        when age.last_age_s < 0 then null
        when age.last_age_s < 900 then '15m'
        when age.last_age_s < 3600 then '1h'
        when age.last_age_s < 21600 then '6h'
        when age.last_age_s < 86400 then '24h'
        when age.last_age_s < 604800 then '7d'
    end as range_that_holds_last
from stored, period, age
