-- grain: one call span with the call of its trace that tells it: itself, or one below (or above) it
-- Of nested calls of one kind the deepest with usage counts, without any usage the deepest; the usage of a parent
-- that is no call itself counts only if nothing below it has usage; of output tokens an embedding tells nothing.
with pairs as (
    select
        below.trace_id,
        above.span_id as above_id,
        above.has_usage as above_has_usage,
        below.span_id as below_id,
        below.has_usage as below_has_usage,
        above.call_kind = below.call_kind as same_kind,
        above.call_kind = 'agent'
        and not (above.has_output and below.call_kind = 'embedding' and not below.has_output) as above_is_parent
    from (
        select
            trace_id,
            span_id,
            call_kind,
            has_usage,
            has_output,
            unnest(call_ancestors) as above_id
        from call_spans
    ) as below
    inner join call_spans as above
        on
            below.trace_id = above.trace_id
            and below.above_id = above.span_id
),

covering as (
    select *
    from pairs
    where
        (same_kind or above_is_parent)
        and (below_has_usage or (not above_has_usage and same_kind))
),

covered as (
    select
        trace_id,
        above_id as span_id,
        min(below_id) as below_id
    from covering
    group by all
),

echoes as (
    select
        pairs.trace_id,
        pairs.below_id as span_id,
        arg_min(pairs.above_id, pairs.above_id) as leaf_id
    from pairs
    anti join covered
        on
            pairs.trace_id = covered.trace_id
            and pairs.above_id = covered.span_id
    where pairs.same_kind and pairs.above_has_usage and not pairs.below_has_usage
    group by all
),

tellers as (
    select
        covering.trace_id,
        covering.above_id as span_id,
        min(covering.below_id) as leaf_id,
        count(*) as leaf_count
    from covering
    anti join covered
        on
            covering.trace_id = covered.trace_id
            and covering.below_id = covered.span_id
    anti join echoes
        on
            covering.trace_id = echoes.trace_id
            and covering.below_id = echoes.span_id
    group by all
)

select
    calls.call_key,
    calls.call_kind,
    -- Where the leaf is too deep to be known, any call below stands for it, and for no single call.
    calls.trace_id || coalesce(tellers.leaf_id, covered.below_id, echoes.leaf_id, calls.span_id) as leaf_key,
    coalesce(tellers.leaf_count, case when covered.below_id is not null then 2 end, 1) as leaf_count,
    case
        when covered.below_id is not null then 'call_below'
        when echoes.leaf_id is not null then 'call_above'
        when calls.call_kind = 'agent' then 'only_usage'
        else 'leaf'
    end as reason
from call_spans as calls
left join covered using (trace_id, span_id)
left join tellers using (trace_id, span_id)
left join echoes
    on
        covered.span_id is null
        and calls.trace_id = echoes.trace_id
        and calls.span_id = echoes.span_id
