-- grain: one row: how many spans are stored, and how many of them start in the period
-- params: since, until
with
stored as (
    select cast(coalesce(sum(span_count), 0) as bigint) as span_count from traces
),

period as (
    select
        cast(coalesce(sum(span_count), 0) as bigint) as period_span_count,
        cast(
            coalesce(
                sum(span_count) filter (
                    where kind in ('agent', 'llm', 'embedding', 'tool', 'retriever', 'reranker', 'guardrail', 'mcp')
                ),
                0
            ) as bigint
        ) as period_genai_span_count
    from span_groups_between($since, $until)
)

select
    stored.span_count,
    period.period_span_count,
    period.period_genai_span_count
from stored, period
