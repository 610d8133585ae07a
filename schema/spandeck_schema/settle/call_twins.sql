-- grain: a pair of model calls that two instrumentations tell of one real call, in both directions
select
    call_key,
    twin_key,
    'same_response' as reason
from id_twins
union all
select
    overlap_twins.call_key,
    overlap_twins.twin_key,
    'same_call' as reason
from overlap_twins
-- Who is known by an id is paired by nothing else.
anti join id_twins using (call_key)
anti join id_twins as told on overlap_twins.twin_key = told.call_key
