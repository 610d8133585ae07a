-- grain: one trace and tool that was called with the same arguments in at least 4 of its last 6 tool calls
-- name: tool_loop
-- severity: warning
-- key: trace and subject
-- cool-down: 10m
-- message: {subject} was called {value} times with the same arguments in 6 tool calls
with numbered as (
    select
        trace_id,
        span_id,
        tool_name,
        arguments_hash,
        started_at,
        row_number() over (partition by trace_id order by started_at, span_id) as place
    from tool_calls
    where started_at >= $since and started_at < $until
),

-- The third call before this one with the same tool and arguments stands at most 5 places before it.
repeated as (
    select
        *,
        lag(place, 3) over same as fourth_place,
        lag(place, 4) over same as fifth_place,
        lag(place, 5) over same as sixth_place
    from numbered
    where arguments_hash is not null
    window same as (partition by trace_id, tool_name, arguments_hash order by place)
)

select
    coalesce(tool_name, 'A tool') as subject,
    case
        when place - sixth_place < 6 then 6.0
        when place - fifth_place < 6 then 5.0
        else 4.0
    end as value,
    3.0 as threshold,
    started_at as occurred_at,
    trace_id,
    span_id
from repeated
where place - fourth_place < 6
