-- grain: one span with a call or with usage of a touched trace, and whether it stands in the sums
-- Of nested calls of one kind the deepest with usage counts, without any usage the deepest; the usage of a parent
-- that is no call itself counts only if nothing below it has usage.
with calls as (
    select
        spans.trace_id,
        spans.span_id,
        tree.agent_name,
        tree.call_ancestors,
        case when spans.kind in ('llm', 'embedding') then spans.kind else 'agent' end as call_kind,
        coalesce(spans.input_tokens, spans.output_tokens) is not null as has_usage
    from trace_spans as spans
    inner join span_tree as tree using (trace_id, span_id)
    where spans.kind in ('llm', 'embedding') or coalesce(spans.input_tokens, spans.output_tokens) is not null
),

pairs as (
    select
        below.trace_id,
        above.span_id as above_id,
        above.has_usage as above_has_usage,
        below.span_id as below_id,
        below.has_usage as below_has_usage,
        above.call_kind = below.call_kind as same_kind,
        above.call_kind = 'agent' as above_is_parent
    from (
        select
            trace_id,
            span_id,
            call_kind,
            has_usage,
            unnest(call_ancestors) as above_id
        from calls
    ) as below
    inner join calls as above
        on
            below.trace_id = above.trace_id
            and below.above_id = above.span_id
),

covered as (
    select
        trace_id,
        above_id as span_id,
        arg_min(below_id, below_id) as duplicate_of
    from pairs
    where
        (same_kind or above_is_parent)
        and (below_has_usage or (not above_has_usage and same_kind))
    group by all
),

echoes as (
    select
        pairs.trace_id,
        pairs.below_id as span_id,
        arg_min(pairs.above_id, pairs.above_id) as duplicate_of
    from pairs
    anti join covered
        on
            pairs.trace_id = covered.trace_id
            and pairs.above_id = covered.span_id
    where pairs.same_kind and pairs.above_has_usage and not pairs.below_has_usage
    group by all
)

select
    calls.trace_id,
    calls.span_id,
    calls.agent_name,
    calls.call_kind as kind,
    coalesce(covered.duplicate_of, echoes.duplicate_of) as duplicate_of,
    covered.span_id is null and echoes.span_id is null as counted
from calls
left join covered using (trace_id, span_id)
left join echoes using (trace_id, span_id)
