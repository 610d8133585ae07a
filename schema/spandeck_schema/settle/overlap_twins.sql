-- grain: a pair of model calls of two scopes that agree and overlap, not both with a response id, in both directions
-- Service, instance, model and input tokens are equal, and the overlap is more than 80 % of the shorter (of the longer,
-- where no tokens are known). Never by time alone: of calls that overlap in a chain, the first that one scope began is
-- the first of the other, and so on, so that parallel calls stay as many as they are.
with wholes as (
    -- What spans nested in each other tell is one call: it overlaps as a whole, with the id that any of them has.
    select
        calls.call_key,
        calls.scope,
        calls.started_us,
        calls.ended_us,
        calls.ended_us - calls.started_us as duration_us,
        coalesce(calls.response_id, ids.response_id) as response_id,
        calls.input_tokens,
        calls.service || chr(31) || calls.service_instance || chr(31) || calls.call_kind || chr(31) || calls.model
        || chr(31) || calls.input_tokens as likeness
    from call_spans as calls
    inner join tree_calls as tree using (call_key)
    left join (
        select
            tree_calls.leaf_key,
            min(tellers.response_id) as response_id
        from tree_calls
        inner join call_spans as tellers using (call_key)
        where tree_calls.leaf_count = 1
        group by tree_calls.leaf_key
    ) as ids
        on calls.call_key = ids.leaf_key
    where tree.leaf_key = calls.call_key and calls.call_kind != 'agent' and calls.ended_us is not null
),

shared as (
    select likeness
    from wholes
    group by likeness
    having count(distinct scope) between 2 and 8
),

alike as (
    select wholes.*
    from wholes
    semi join shared using (likeness)
),

chained as (
    select
        *,
        coalesce(
            started_us > max(ended_us) over (
                partition by likeness
                order by started_us, call_key
                rows between unbounded preceding and 1 preceding
            ),
            true
        ) as begins_chain
    from alike
),

numbered as (
    select
        *,
        count(*) filter (where begins_chain) over (
            partition by likeness
            order by started_us, call_key
            rows between unbounded preceding and current row
        ) as chain
    from chained
),

placed as (
    select
        *,
        row_number() over (
            partition by likeness, chain, scope
            order by started_us, ended_us, call_key
        ) as place
    from numbered
)

select
    own.call_key,
    twin.call_key as twin_key
from placed as own
inner join placed as twin
    on
        own.likeness = twin.likeness
        and own.chain = twin.chain
        and own.place = twin.place
        and own.scope != twin.scope
where
    (own.response_id is null or twin.response_id is null)
    and case
        when least(own.duration_us, twin.duration_us) = 0
            then abs(own.started_us - twin.started_us) <= 5000 and greatest(own.duration_us, twin.duration_us) <= 5000
        else
            least(own.ended_us, twin.ended_us) - greatest(own.started_us, twin.started_us)
            > 0.8 * case
                when own.input_tokens = -1 then greatest(own.duration_us, twin.duration_us)
                else least(own.duration_us, twin.duration_us)
            end
    end
