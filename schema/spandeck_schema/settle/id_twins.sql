-- grain: a pair of model calls of two scopes with one response id, in both directions
-- Starts within 2 s, and each the nearest of the other's scope. A reply from a cache has the id of the first one and is a
-- call of its own; between services, as of a gateway, what both know of model and tokens must be equal.
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

neighbours as (
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
),

nearest as (
    select *
    from neighbours
    where distance_us <= 2000000
    qualify row_number() over (
        partition by call_key, twin_scope
        order by distance_us, twin_key
    ) = 1
),

mutual as materialized (
    select
        nearest.call_key,
        nearest.twin_key
    from nearest
    inner join nearest as back
        on
            nearest.call_key = back.twin_key
            and nearest.twin_key = back.call_key
),

owned as materialized (
    select
        mutual.twin_key,
        calls.*
    from mutual
    inner join calls using (call_key)
)

select
    owned.call_key,
    owned.twin_key
from owned
inner join calls as twin on owned.twin_key = twin.call_key
where
    coalesce(owned.cache_hit, false) = coalesce(twin.cache_hit, false)
    and (
        owned.service is not distinct from twin.service
        or (
            coalesce(owned.model = twin.model, true)
            and (owned.input_tokens = twin.input_tokens or owned.input_tokens = -1 or twin.input_tokens = -1)
        )
    )
