-- grain: a span whose parent is not stored, whose flags say that its times cannot be, or that lies outside its parent
-- Joined by hashes: the ids of millions of spans are several times their size. What a consumer does for a producer may
-- begin when the producer has long ended.
create or replace macro store.doctor_strays(since) as table
with children as (
    select
        trace_id,
        span_id,
        service,
        started_at,
        otel_kind = 'CONSUMER' as is_consumer,
        list_has_any(flags, ['clock_skew', 'future', 'no_start']) as is_flagged,
        case when parent_span_id is not null then hash(trace_id, parent_span_id) end as parent_hash
    from store.spans
    where received_at >= since
),

parents as (
    select
        hash(trace_id, span_id) as id_hash,
        case when not list_has_any(flags, ['clock_skew', 'future', 'no_start']) then started_at end as started_at,
        coalesce(ended_at, started_at) as ended_at
    from store.spans
    where received_at >= since
),

placed as (
    select
        children.* exclude (parent_hash, is_consumer),
        children.parent_hash is not null and parents.id_hash is null as is_orphan,
        children.started_at < parents.started_at - interval 1 second as is_early,
        children.started_at > parents.ended_at + interval 1 second
        and parents.started_at is not null
        and children.is_consumer is not true as is_late
    from children
    left join parents on children.parent_hash = parents.id_hash
)

select
    trace_id,
    span_id,
    service,
    started_at,
    is_orphan
from placed
where is_orphan or is_flagged or is_early or is_late;
