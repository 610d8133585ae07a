-- grain: one content value of a span or of a log record
create or replace view main.span_content as
with refs as (
    select
        *,
        rowid as value_id,
        unnest(coalesce(part_hashes, [content_hash])) as hash,
        generate_subscripts(coalesce(part_hashes, [content_hash]), 1) as position
    from store.span_content
),

-- A part may be stored twice, and its text is the same then.
texts as (
    select
        refs.* exclude (part_hashes, hash),
        any_value(content_parts.content) as text
    from refs
    left join store.content_parts
        on refs.received_hour = content_parts.received_hour and refs.hash = content_parts.hash
    group by all
)

select
    trace_id,
    span_id,
    origin,
    name,
    side,
    occurred_at,
    case when count(text) = count(*) then string_agg(text, '' order by position) end as content,
    content_bytes,
    content_hash,
    is_cut,
    received_at
from texts
group by
    value_id,
    trace_id,
    span_id,
    origin,
    name,
    side,
    occurred_at,
    content_bytes,
    content_hash,
    is_cut,
    received_at;
