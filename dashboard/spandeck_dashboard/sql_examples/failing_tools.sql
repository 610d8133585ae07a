-- question: Which tool fails most, and why?
select
    tool_name,
    count(*) as call_count,
    count(*) filter (where status = 'error') as error_count,
    mode(error_type) filter (where status = 'error') as commonest_error
from tool_calls
group by tool_name
order by error_count desc, call_count desc
