-- grain: one model call or tool call and one thing that calls of other scopes share with it, and its place among these
-- What is shared (basis): the id of a response, the id of a tool call, or model, tokens and time. Calls that are near
-- (by time: that overlap) make a chain, and in a chain the first that one scope began is the first of another, and so
-- on, so that parallel calls stay as many as they are. All with all would be quadratic, and a hostile sender's choice.
with told as (
    select
        'response' as basis,
        call_key,
        scope,
        started_us,
        started_us + 2000000 as reach_us,
        response_id || chr(31) || call_kind as likeness,
        response_id as shared
    from call_spans
    where call_kind != 'agent' and response_id is not null
    union all
    select
        'time' as basis,
        call_key,
        scope,
        started_us,
        ended_us as reach_us,
        likeness,
        likeness as shared
    from whole_calls
    union all
    select
        'tool_call' as basis,
        call_key,
        scope,
        started_us,
        started_us + 2000000 as reach_us,
        tool_call_id || chr(31) || tool_name as likeness,
        tool_call_id as shared
    from tool_spans
    where tool_call_id is not null
),

-- What more than eight instrumentations share is a constant of some server, and says nothing.
between_scopes as (
    select
        basis,
        shared
    from told
    group by all
    having count(distinct scope) between 2 and 8
),

chained as (
    select
        told.*,
        coalesce(
            told.started_us > max(told.reach_us) over (
                partition by told.basis, told.likeness
                order by told.started_us, told.call_key
                rows between unbounded preceding and 1 preceding
            ),
            true
        ) as begins_chain
    from told
    semi join between_scopes using (basis, shared)
),

numbered as (
    select
        *,
        count(*) filter (where begins_chain) over (
            partition by basis, likeness
            order by started_us, call_key
            rows between unbounded preceding and current row
        ) as chain
    from chained
)

select
    basis,
    likeness,
    chain,
    call_key,
    scope,
    started_us,
    row_number() over (
        partition by basis, likeness, chain, scope
        order by started_us, reach_us, call_key
    ) as place
from numbered
