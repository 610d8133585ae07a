-- grain: a pair of model calls of two scopes with one response id, in both directions
-- Starts within 2 s; where an id is told more than once, the first that one scope began is the first of the other. A
-- reply from a cache has the id of the first one and is a call of its own; between services, as of a gateway, what both
-- know of model and tokens must be equal.
with own as (
    select *
    from twin_places
    where basis = 'response'
),

pairs as materialized (
    select
        own.call_key,
        twin.call_key as twin_key
    from own
    inner join own as twin
        on
            own.likeness = twin.likeness
            and own.chain = twin.chain
            and own.place = twin.place
            and own.scope != twin.scope
)

select pairs.*
from pairs
inner join call_spans as first_call using (call_key)
inner join call_spans as other on pairs.twin_key = other.call_key
where
    abs(first_call.started_us - other.started_us) <= 2000000
    and coalesce(first_call.cache_hit, false) = coalesce(other.cache_hit, false)
    and (
        first_call.service is not distinct from other.service
        or (
            coalesce(first_call.model = other.model, true)
            and (
                first_call.input_tokens = other.input_tokens
                or first_call.input_tokens = -1
                or other.input_tokens = -1
            )
        )
    )
