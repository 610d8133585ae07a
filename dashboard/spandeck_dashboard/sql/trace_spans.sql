-- grain: one span of a trace, earliest first, at most 5,000; a subtree holds the counted calls of a span and below
-- params: trace
with recursive
trace_spans as (
    select *
    from spans
    where trace_id = cast($trace as varchar)
    order by started_at asc, duration_ms desc, span_id asc
    limit 5000
),

calls as (
    select
        span_id,
        coalesce(input_tokens + output_tokens, input_tokens, output_tokens) as token_count,
        cost_usd,
        cost_usd is null and coalesce(input_tokens, output_tokens) is not null as is_unpriced
    from llm_calls
    where trace_id = cast($trace as varchar)
),

-- union, not union all: spans that name each other as parent must end
ancestry as (
    select
        span_id,
        span_id as ancestor_id
    from trace_spans
    union
    select
        ancestry.span_id,
        trace_spans.parent_span_id as ancestor_id
    from ancestry
    inner join trace_spans on ancestry.ancestor_id = trace_spans.span_id
    where trace_spans.parent_span_id is not null
),

subtrees as (
    select
        ancestry.ancestor_id as span_id,
        cast(sum(calls.token_count) as bigint) as token_count,
        sum(calls.cost_usd) as cost_usd,
        count(*) filter (where calls.is_unpriced) as unpriced_call_count,
        count(*) filter (where trace_spans.status = 'error') as error_count
    from ancestry
    inner join trace_spans on ancestry.span_id = trace_spans.span_id
    left join calls on ancestry.span_id = calls.span_id
    group by ancestry.ancestor_id
)

select
    trace_spans.span_id,
    trace_spans.parent_span_id,
    trace_spans.name,
    trace_spans.kind,
    coalesce(trace_spans.response_model, trace_spans.request_model) as model,
    trace_spans.service,
    epoch_us(trace_spans.started_at) / 1000.0
    - min(epoch_us(trace_spans.started_at)) over () / 1000.0 as offset_ms,
    trace_spans.duration_ms,
    trace_spans.time_to_first_token_ms,
    trace_spans.status,
    trace_spans.error_type,
    trace_spans.parent_span_id is not null
    and parents.span_id is null as is_orphan,
    subtrees.token_count,
    subtrees.cost_usd,
    subtrees.unpriced_call_count,
    subtrees.error_count,
    calls.span_id is not null as is_counted
from trace_spans
left join trace_spans as parents on trace_spans.parent_span_id = parents.span_id
left join subtrees on trace_spans.span_id = subtrees.span_id
left join calls on trace_spans.span_id = calls.span_id
order by trace_spans.started_at asc, trace_spans.duration_ms desc, trace_spans.span_id asc
