-- grain: one row, what the database file holds and how large it is
create or replace view main.storage_health as
with file as (
    select
        block_size * total_blocks as database_bytes,
        block_size * free_blocks as free_bytes
    from pragma_database_size()
    where database_name = current_database()
),

stored as (
    select
        (select count(*) from store.spans) as span_count,
        (select count(*) from store.traces) as trace_count,
        (select count(*) from store.calls) as call_count,
        (select count(*) from store.content_parts) as content_part_count,
        (select count(*) from store.log_records) as log_record_count,
        (select count(*) from store.metric_points) as metric_point_count,
        (select count(*) from store.alerts) as alert_count,
        (select min(first_received_at) from store.traces) as oldest_received_at,
        (select max(last_received_at) from store.traces) as newest_received_at
)

select
    file.database_bytes,
    file.free_bytes,
    stored.*,
    (file.database_bytes - file.free_bytes) / nullif(stored.span_count, 0) as bytes_per_span
from file, stored;
