-- grain: a pair of model calls of two scopes that agree and overlap, not both with a response id, in both directions
-- Service, instance, model and input tokens are equal, and the overlap is more than 80 % of the shorter (of the longer,
-- where no tokens are known). Never by time alone.
with own as (
    select *
    from twin_places
    where basis = 'time'
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
inner join whole_calls as first_call using (call_key)
inner join whole_calls as other on pairs.twin_key = other.call_key
where
    (first_call.response_id is null or other.response_id is null)
    and case
        when least(first_call.duration_us, other.duration_us) = 0
            then
                abs(first_call.started_us - other.started_us) <= 5000
                and greatest(first_call.duration_us, other.duration_us) <= 5000
        else
            least(first_call.ended_us, other.ended_us) - greatest(first_call.started_us, other.started_us)
            > 0.8 * case
                when first_call.input_tokens = -1 then greatest(first_call.duration_us, other.duration_us)
                else least(first_call.duration_us, other.duration_us)
            end
    end
