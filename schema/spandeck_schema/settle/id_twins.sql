-- grain: a pair of model calls of two scopes with one response id, in both directions
-- Starts within 2 s; where an id is told more than once, the first that one scope began is the first of the other. A
-- reply from a cache has the id of the first one and is a call of its own; between services, as of a gateway, what both
-- know of model and tokens must be equal.
with alike as (
    select
        call_key,
        scope,
        service,
        cache_hit,
        model,
        input_tokens,
        started_us,
        response_id || chr(31) || call_kind as likeness
    from call_spans
    where
        call_kind != 'agent'
        -- An id that more than eight instrumentations tell is a constant of some server, and says nothing.
        and response_id in (
            select told.response_id
            from call_spans as told
            where told.call_kind != 'agent'
            group by told.response_id
            having count(distinct told.scope) between 2 and 8
        )
),

chained as (
    select
        *,
        coalesce(
            started_us - lag(started_us) over (
                partition by likeness
                order by started_us, call_key
            ) > 2000000,
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
            order by started_us, call_key
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
    abs(own.started_us - twin.started_us) <= 2000000
    and coalesce(own.cache_hit, false) = coalesce(twin.cache_hit, false)
    and (
        own.service is not distinct from twin.service
        or (
            coalesce(own.model = twin.model, true)
            and (own.input_tokens = twin.input_tokens or own.input_tokens = -1 or twin.input_tokens = -1)
        )
    )
