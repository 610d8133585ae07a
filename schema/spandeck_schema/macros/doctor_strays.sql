-- grain: a span whose parent is not stored, whose flags say that its times cannot be, or that lies outside its parent
-- Joined by hashes, and ids are looked up last: the ids of millions of spans are several times their size.
create or replace macro store.doctor_strays(since) as table
    with nodes as materialized (
        select
            rowid as row_number,
            started_at,
            coalesce(ended_at, started_at) as ended_at,
            list_has_any(flags, ['clock_skew', 'future', 'no_start']) as is_flagged,
            -- What a consumer does for a producer may begin when the producer has long ended.
            otel_kind = 'CONSUMER' as is_consumer,
            hash(trace_id, span_id) as id_hash,
            case when parent_span_id is not null then hash(trace_id, parent_span_id) end as parent_hash
        from store.spans
        where received_at >= since
    ),

    placed as (
        select
            nodes.row_number,
            nodes.parent_hash is not null and parents.id_hash is null as is_orphan,
            nodes.is_flagged
            or coalesce(
                not parents.is_flagged
                and (
                    nodes.started_at < parents.started_at - interval 1 second
                    or (nodes.started_at > parents.ended_at + interval 1 second and nodes.is_consumer is not true)
                ),
                false
            ) as is_skewed
        from nodes
        left join nodes as parents on nodes.parent_hash = parents.id_hash
    )

    select
        spans.trace_id,
        spans.span_id,
        spans.service,
        spans.started_at,
        placed.is_orphan,
        placed.is_skewed
    from store.spans
    inner join placed on spans.rowid = placed.row_number
    where placed.is_orphan or placed.is_skewed;
