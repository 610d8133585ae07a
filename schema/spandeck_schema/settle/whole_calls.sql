-- grain: one model call as a whole: what spans nested in each other tell, with the id that any of them has
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
