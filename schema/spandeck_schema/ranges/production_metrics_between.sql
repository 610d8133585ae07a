-- grain: a service that requests (traces) entered, over the requests that started from since on and before until
-- Judged are results of evaluations of these requests, and results without a trace by the service that told them.
create or replace macro main.production_metrics_between(since, until) as table
    with requests as (
        select
            trace_id,
            service,
            status,
            duration_ms,
            time_to_first_token_ms,
            llm_call_count,
            failed_llm_call_count,
            tool_call_count,
            failed_tool_call_count,
            retry_count,
            step_count,
            loop_count,
            input_tokens,
            output_tokens,
            cost_usd,
            unpriced_call_count
        from main.traces
        where
            started_at >= coalesce(cast(since as timestamp), '-infinity')
            and started_at < coalesce(cast(until as timestamp), 'infinity')
    ),

    results as (
        select
            trace_id,
            service,
            hallucinated
        from main.evaluations
        where
            hallucinated is not null
            and (
                trace_id is not null
                or (
                    evaluated_at >= coalesce(cast(since as timestamp), '-infinity')
                    and evaluated_at < coalesce(cast(until as timestamp), 'infinity')
                )
            )
    ),

    judged as (
        select
            service,
            count(*) as judged_count,
            count(*) filter (where hallucinated) as hallucinated_count
        from (
            select
                requests.service,
                results.hallucinated
            from results
            inner join requests on results.trace_id = requests.trace_id
            union all
            select
                service,
                hallucinated
            from results
            where trace_id is null
        ) as placed
        group by service
    ),

    sums as (
        select
            service,
            count(*) as request_count,
            count(*) filter (where status = 'error') as failed_request_count,
            cast(sum(llm_call_count) as bigint) as llm_call_count,
            cast(sum(failed_llm_call_count) as bigint) as failed_llm_call_count,
            cast(sum(tool_call_count) as bigint) as tool_call_count,
            cast(sum(failed_tool_call_count) as bigint) as failed_tool_call_count,
            avg(duration_ms) as average_ms,
            quantile_cont(duration_ms, 0.50) as p50_ms,
            quantile_cont(duration_ms, 0.95) as p95_ms,
            quantile_cont(duration_ms, 0.99) as p99_ms,
            quantile_cont(time_to_first_token_ms, 0.50) as time_to_first_token_p50_ms,
            quantile_cont(time_to_first_token_ms, 0.95) as time_to_first_token_p95_ms,
            quantile_cont(time_to_first_token_ms, 0.99) as time_to_first_token_p99_ms,
            cast(sum(input_tokens) as bigint) as input_tokens,
            cast(sum(output_tokens) as bigint) as output_tokens,
            sum(cost_usd) as cost_usd,
            cast(sum(unpriced_call_count) as bigint) as unpriced_call_count,
            cast(sum(retry_count) as bigint) as retry_count,
            cast(sum(step_count) as bigint) as step_count,
            cast(sum(loop_count) as bigint) as loop_count
        from requests
        group by service
    )

    select
        sums.service,
        sums.request_count,
        sums.failed_request_count,
        (sums.request_count - sums.failed_request_count) / sums.request_count as success_ratio,
        sums.failed_request_count / sums.request_count as error_ratio,
        sums.llm_call_count,
        sums.failed_llm_call_count,
        sums.tool_call_count,
        sums.failed_tool_call_count,
        (sums.tool_call_count - sums.failed_tool_call_count) / nullif(sums.tool_call_count, 0) as tool_success_ratio,
        coalesce(judged.judged_count, 0) as judged_count,
        coalesce(judged.hallucinated_count, 0) as hallucinated_count,
        judged.hallucinated_count / judged.judged_count as hallucination_ratio,
        sums.average_ms,
        sums.p50_ms,
        sums.p95_ms,
        sums.p99_ms,
        sums.time_to_first_token_p50_ms,
        sums.time_to_first_token_p95_ms,
        sums.time_to_first_token_p99_ms,
        sums.input_tokens,
        sums.output_tokens,
        sums.cost_usd,
        sums.cost_usd / sums.request_count as cost_per_request_usd,
        sums.unpriced_call_count,
        sums.retry_count,
        sums.step_count,
        sums.loop_count
    from sums
    left join judged on sums.service is not distinct from judged.service;
