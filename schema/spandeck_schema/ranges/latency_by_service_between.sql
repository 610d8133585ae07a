-- grain: a service, by its entry spans (roots, servers, consumers), in a range; exact up to 2 days, then from buckets
create or replace macro main.latency_by_service_between(since, until) as table (
    select
        key_1 as service,
        call_count,
        error_count,
        p50_ms,
        p95_ms,
        p99_ms,
        percentile_basis
    from store.latency_between('service', since, until)
);
