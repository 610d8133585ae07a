-- grain: a name of an attribute of a trace's spans or of their resource, with how often and one value
-- params: trace
with
trace_spans as (
    select
        span_id,
        started_at,
        attributes,
        resource
    from spans
    where trace_id = cast($trace as varchar)
    order by started_at asc
    limit 5000
),

named as (
    select
        'span' as place,
        span_id,
        started_at,
        unnest(map_entries(attributes)) as entry
    from trace_spans
    union all
    select
        'resource' as place,
        span_id,
        started_at,
        unnest(map_entries(resource)) as entry
    from trace_spans
)

select
    place,
    entry.key as name,
    count(*) as span_count,
    count(distinct entry.value) as value_count,
    left(mode(entry.value), 2000) as commonest_value,
    arg_min(span_id, started_at) as first_span_id
from named
group by place, entry.key
order by place desc, name asc
limit 500
