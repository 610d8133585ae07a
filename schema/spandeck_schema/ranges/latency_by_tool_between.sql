-- grain: a tool, in a range; exact up to 2 days, then from buckets
create or replace macro main.latency_by_tool_between(since, until) as table (
    select
        key_1 as tool_name,
        call_count,
        error_count,
        p50_ms,
        p95_ms,
        p99_ms,
        percentile_basis
    from store.latency_between('tool', since, until)
);
