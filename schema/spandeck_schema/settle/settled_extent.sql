-- grain: one row, the range of start times of what the batch settled
select
    min(started_at) as since,
    max(started_at) + interval 1 microsecond as until
from (
    select started_at from settled_traces
    union all
    select started_at from settled_calls
) as settled
