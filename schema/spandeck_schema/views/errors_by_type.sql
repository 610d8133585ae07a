-- grain: an error type of a service's spans
create or replace view main.errors_by_type as
select
    service,
    kind,
    error_type,
    count(*) as span_count,
    mode(error_message) as top_error_message,
    max(started_at) as last_started_at,
    arg_max(trace_id, started_at) as last_trace_id,
    arg_max(span_id, started_at) as last_span_id
from store.spans
where status = 'error' and kind != 'details'
group by all;
