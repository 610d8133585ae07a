-- grain: one declared step of an agent: the spans of one step number below one parent that started in a range
create or replace macro main.steps_between(since, until) as table
    with numbered as (
        select
            trace_id,
            span_id,
            parent_span_id,
            step,
            name,
            service,
            agent_name,
            started_at,
            ended_at,
            duration_ms,
            status,
            error_type
        from store.spans
        where
            step is not null
            and kind != 'details'
            and started_at >= coalesce(cast(since as timestamp), '-infinity')
            and started_at < coalesce(cast(until as timestamp), 'infinity')
    )

    select
        numbered.trace_id,
        arg_min(numbered.span_id, (numbered.started_at, numbered.span_id)) as span_id,
        numbered.parent_span_id,
        numbered.step,
        arg_min(numbered.name, (numbered.started_at, numbered.span_id)) as name,
        arg_min(numbered.service, (numbered.started_at, numbered.span_id)) as service,
        arg_min(numbered.agent_name, (numbered.started_at, numbered.span_id)) as agent_name,
        min(numbered.started_at) as started_at,
        case
            when count(*) = 1 then max(numbered.duration_ms)
            else
                epoch_us(
                    max(numbered.ended_at) filter (where numbered.duration_ms is not null)
                    - min(numbered.started_at) filter (where numbered.duration_ms is not null)
                ) / 1000.0
        end as duration_ms,
        count(*) as span_count,
        case when bool_or(numbered.status = 'error') then 'error' else 'ok' end as status,
        arg_min(numbered.error_type, (numbered.started_at, numbered.span_id)) as error_type
    from numbered
    anti join numbered as around
        on
            numbered.trace_id = around.trace_id
            and numbered.parent_span_id = around.span_id
            and numbered.step = around.step
    group by numbered.trace_id, numbered.parent_span_id, numbered.step;
