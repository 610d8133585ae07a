-- grain: a tool
create or replace view main.tool_outcomes as
select
    tool_name,
    count(*) as call_count,
    count(*) filter (where status = 'error') as error_count,
    count(*) filter (where status = 'ok') / count(*) as success_ratio,
    quantile_cont(duration_ms, 0.95) as p95_ms,
    mode(error_type) as top_error_type,
    mode(error_message) as top_error_message
from main.tool_calls
group by tool_name;
