-- grain: one content value of a span, instructions and input before output, at most 50
-- params: trace, span
select
    name,
    side,
    content,
    content_bytes,
    is_cut,
    count(*) over (partition by side) > 1 as is_one_of_many
from span_content
where trace_id = cast($trace as varchar) and span_id = cast($span as varchar)
order by list_position(['instructions', 'tools', 'input', 'documents', 'output'], side), name, occurred_at
limit 50
