-- grain: one row: how many spans are stored, and how many of them start in the period
-- params: since, until
with
stored as (
    select cast(coalesce(sum(span_count), 0) as bigint) as span_count from traces
),

period as (
    select
        count(*) as period_span_count,
        count(*) filter (
            where kind in ('agent', 'llm', 'embedding', 'tool', 'retriever', 'reranker', 'guardrail', 'mcp')
        ) as period_genai_span_count
    from spans
    where started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
)

select
    stored.span_count,
    period.period_span_count,
    period.period_genai_span_count
from stored, period
