-- grain: a pair of model calls that two instrumentations tell of one real call, in both directions
-- By the id of the response, with starts within 2 s; where not both have one, by equal service, model and input tokens
-- and an overlap of more than 80 % of the shorter (of the longer, where no tokens are known). Never by time alone, and
-- each call is paired with at most one call of another scope, the nearest for both: parallel calls are common.
with calls as (
    select *
    from call_spans
    where call_kind != 'agent'
),

-- An id that more than eight instrumentations tell is a constant of some server, and says nothing.
told_ids as (
    select response_id
    from calls
    group by response_id
    having count(distinct scope) between 2 and 8
),

-- What spans nested in each other tell is one call: it overlaps as a whole, with the id that any of them has.
wholes as (
    select
        calls.* replace (coalesce(calls.response_id, ids.response_id) as response_id),
        calls.ended_us - calls.started_us as duration_us,
        -- Calls of the very same times are paired one by one.
        row_number() over (
            partition by
                calls.service,
                calls.service_instance,
                calls.call_kind,
                calls.input_tokens,
                calls.scope,
                calls.started_us,
                calls.ended_us
            order by calls.call_key
        ) as place
    from calls
    inner join tree_calls as tree using (call_key)
    left join (
        select
            tree_calls.leaf_key,
            min(tellers.response_id) as response_id
        from tree_calls
        inner join calls as tellers using (call_key)
        where tree_calls.leaf_count = 1
        group by tree_calls.leaf_key
    ) as ids
        on calls.call_key = ids.leaf_key
    where tree.leaf_key = calls.call_key
),

same_tokens as (
    select
        service,
        input_tokens
    from wholes
    group by all
    having count(distinct scope) > 1
),

tellers as (
    select
        response_id,
        call_kind,
        scope,
        started_us,
        min(call_key) as call_key
    from calls
    semi join told_ids using (response_id)
    group by all
),

told_scopes as (
    select distinct
        response_id,
        call_kind,
        scope
    from tellers
),

-- Nearest before and nearest after, not all pairs: a thousand calls may have one id.
seekers as (
    select
        calls.call_key,
        calls.scope,
        calls.response_id,
        calls.call_kind,
        calls.started_us,
        scopes.scope as twin_scope
    from calls
    inner join told_scopes as scopes
        on
            calls.response_id = scopes.response_id
            and calls.call_kind = scopes.call_kind
            and calls.scope != scopes.scope
),

by_id as (
    select
        call_key,
        scope,
        twin_key,
        twin_scope,
        distance_us,
        0 as apart,
        'same_response' as reason
    from (
        select
            seekers.*,
            tellers.call_key as twin_key,
            seekers.started_us - tellers.started_us as distance_us
        from seekers
        asof inner join tellers
            on
                seekers.response_id = tellers.response_id
                and seekers.call_kind = tellers.call_kind
                and seekers.twin_scope = tellers.scope
                and seekers.started_us >= tellers.started_us
        union all
        select
            seekers.*,
            tellers.call_key as twin_key,
            tellers.started_us - seekers.started_us as distance_us
        from seekers
        asof inner join tellers
            on
                seekers.response_id = tellers.response_id
                and seekers.call_kind = tellers.call_kind
                and seekers.twin_scope = tellers.scope
                and seekers.started_us <= tellers.started_us
    ) as neighbours
    where distance_us <= 2000000
),

by_overlap as (
    select
        first.call_key,
        first.scope,
        second.call_key as twin_key,
        second.scope as twin_scope,
        abs(first.started_us - second.started_us) + abs(first.ended_us - second.ended_us) as distance_us,
        abs(first.place - second.place) as apart,
        'same_call' as reason
    from (select wholes.* from wholes semi join same_tokens using (service, input_tokens)) as first
    inner join wholes as second
        on
            first.service = second.service
            and first.service_instance = second.service_instance
            and first.input_tokens = second.input_tokens
            and first.call_kind = second.call_kind
            and first.scope != second.scope
            and (first.response_id is null or second.response_id is null)
            and least(first.ended_us, second.ended_us) - greatest(first.started_us, second.started_us)
            >= 0.8 * case
                when first.input_tokens = -1 then greatest(first.duration_us, second.duration_us)
                else least(first.duration_us, second.duration_us)
            end
            and list_has_any(first.models, second.models)
),

nearest as (
    select *
    from (
        select * from by_id
        union all
        select * from by_overlap
    ) as pairs
    qualify row_number() over (
        partition by call_key, twin_scope
        order by reason != 'same_response', distance_us, apart, twin_key
    ) = 1
)

select
    nearest.call_key,
    nearest.twin_key,
    nearest.reason
from nearest
inner join nearest as back
    on
        nearest.call_key = back.twin_key
        and nearest.twin_key = back.call_key
