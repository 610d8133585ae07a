-- grain: an operation of a service: spans of one kind and name, in a range; exact up to 2 days, then from buckets
create or replace macro main.latency_by_operation_between(since, until) as table (
    select
        key_1 as service,
        key_2 as kind,
        key_3 as name,
        call_count,
        error_count,
        p50_ms,
        p95_ms,
        p99_ms,
        percentile_basis
    from store.latency_between('operation', since, until)
);
