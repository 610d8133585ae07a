-- grain: one finding of the doctor, most severe first
select
    service,
    finding,
    severity,
    affected_count,
    total_count,
    affected_ratio,
    message,
    fix,
    example_trace_id,
    example_span_id
from doctor_findings
order by
    case severity when 'error' then 0 when 'warning' then 1 else 2 end, affected_ratio desc, service asc, finding asc
limit 200
