-- grain: one call span of a touched trace: whether it stands in the sums, why, and which call tells it if not
-- Twins unite what stands for them in their traces; of each such group one call counts, by preference one that has a
-- parent, since a lone root knows neither agent nor session.
with recursive edges as (
    select distinct
        own.leaf_key,
        other.leaf_key as twin_leaf_key,
        twins.reason
    from call_twins as twins
    inner join tree_calls as own using (call_key)
    inner join tree_calls as other on twins.twin_key = other.call_key
    where own.leaf_key != other.leaf_key and other.leaf_count = 1
),

-- One call told as several (a span each try) takes in its twin, but its parts stay apart.
absorbed as (
    select
        other.leaf_key,
        min(own.leaf_key) as told_key,
        min(twins.reason) as reason
    from call_twins as twins
    inner join tree_calls as own using (call_key)
    inner join tree_calls as other on twins.twin_key = other.call_key
    where own.leaf_count > 1 and other.leaf_count = 1 and own.leaf_key != other.leaf_key
    group by other.leaf_key
),

reached as (
    select
        leaf_key,
        twin_leaf_key as member_key
    from edges
    union
    select
        reached.leaf_key,
        edges.twin_leaf_key as member_key
    from reached
    inner join edges on reached.member_key = edges.leaf_key
),

ranked as (
    select
        reached.leaf_key,
        arg_min(reached.member_key, (not calls.has_parent, calls.trust_rank, reached.member_key)) as told_key
    from (
        select * from reached
        union
        select
            leaf_key,
            leaf_key as member_key
        from edges
    ) as reached
    inner join call_spans as calls on reached.member_key = calls.call_key
    group by reached.leaf_key
),

reasons as (
    select
        leaf_key,
        max(reason) as reason
    from edges
    group by leaf_key
),

tellers as (
    select
        tree.*,
        coalesce(absorbed.told_key, ranked.told_key, tree.leaf_key) as told_key,
        coalesce(absorbed.reason, reasons.reason) as twin_reason
    from tree_calls as tree
    left join absorbed using (leaf_key)
    left join ranked using (leaf_key)
    left join reasons using (leaf_key)
)

select
    calls.call_key,
    calls.trace_id,
    calls.span_id,
    calls.agent_name,
    calls.call_kind as kind,
    tellers.told_key,
    tellers.leaf_count = 1 and calls.call_kind != 'agent' as is_whole,
    tellers.told_key = calls.call_key as counted,
    case
        when tellers.call_key != tellers.leaf_key or tellers.told_key = calls.call_key then tellers.reason
        else tellers.twin_reason
    end as reason,
    case when not counted then tellers.told_key[:32] end as duplicate_trace_id,
    case when not counted then tellers.told_key[33:] end as duplicate_of
from call_spans as calls
inner join tellers using (call_key)
