-- grain: a service, scope and model whose own cost is more than a twentieth off the cost by the price table
create or replace macro store.doctor_cost_differs(since) as table
    select
        'cost_differs' as fix_key,
        'cost_differs' as finding,
        'warning' as grade,
        service,
        [scope] as scopes,
        coalesce(provider || '/', '') || coalesce(model, 'no model') as detail,
        count(*) filter (where differs) as affected_count,
        count(*) as total_count,
        any_value(trace_id) filter (where differs) as example_trace_id,
        any_value(span_id) filter (where differs) as example_span_id,
        format(
            '{} says ${:.4f} for {:,} calls of {}, the price table ${:.4f}{}.',
            coalesce(scope, 'The emitter'),
            sum(reported_cost_usd),
            total_count,
            detail,
            sum(cost_usd),
            coalesce(format(': {:+.0f} %', 100 * (sum(reported_cost_usd) / nullif(sum(cost_usd), 0) - 1)), '')
        ) as message
    from (
        select
            trace_id,
            span_id,
            service,
            scope,
            provider,
            coalesce(response_model, request_model) as model,
            reported_cost_usd,
            cost_usd,
            abs(reported_cost_usd - cost_usd) > 0.05 * cost_usd as differs
        from store.calls
        where
            counted
            and reported_cost_usd is not null
            and cost_usd is not null
            and first_received_at >= since
    ) as priced
    group by service, scope, provider, model
    having abs(sum(reported_cost_usd) - sum(cost_usd)) > 0.05 * sum(cost_usd);
