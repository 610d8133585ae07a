-- grain: an agent, by the model calls that it owns, in a range; exact up to 2 days, then from buckets
create or replace macro main.latency_by_agent_between(since, until) as table (
    select
        key_1 as agent_name,
        call_count,
        error_count,
        p50_ms,
        p95_ms,
        p99_ms,
        time_to_first_token_p50_ms,
        time_to_first_token_p95_ms,
        time_to_first_token_p99_ms,
        percentile_basis
    from store.latency_between('agent', since, until)
);
