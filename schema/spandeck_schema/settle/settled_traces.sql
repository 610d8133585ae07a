-- grain: one row of store.traces for a touched trace
with firsts as (
    select
        spans.trace_id,
        arg_min(
            spans.span_id,
            (
                spans.kind = 'details',
                spans.parent_span_id is not null,
                parents.span_id is not null,
                spans.started_at,
                spans.span_id
            )
        ) as span_id
    from trace_spans as spans
    left join trace_spans as parents
        on
            spans.trace_id = parents.trace_id
            and spans.parent_span_id = parents.span_id
    group by spans.trace_id
),

roots as (
    select spans.*
    from trace_spans as spans
    semi join firsts using (trace_id, span_id)
),

-- As the view steps has them: spans of one step number below one parent, within no span of that number.
numbered as materialized (
    select
        trace_id,
        span_id,
        parent_span_id,
        step
    from trace_spans
    where step is not null and kind != 'details'
),

steps as (
    select
        trace_id,
        count(*) as step_count
    from (
        select distinct
            numbered.trace_id,
            numbered.parent_span_id,
            numbered.step
        from numbered
        anti join numbered as around
            on
                numbered.trace_id = around.trace_id
                and numbered.parent_span_id = around.span_id
                and numbered.step = around.step
    ) as topmost
    group by trace_id
),

span_sums as (
    select
        trace_id,
        count(*) filter (where kind != 'details') as span_count,
        count(*) filter (where otel_status = 'ERROR') as error_span_count,
        bool_or(status = 'error') as any_error,
        min(started_at) as started_at,
        (
            epoch_us(max(ended_at) filter (where duration_ms is not null))
            - epoch_us(min(started_at) filter (where duration_ms is not null))
        ) / 1000.0 as extent_ms
    from trace_spans
    group by trace_id
),

agents as (
    select
        trees.trace_id,
        list_sort(list(distinct trees.agent_name)) as agent_names
    from span_tree as trees
    where trees.agent_name is not null
    group by trees.trace_id
),

-- A try adds what its number is above that of the failed try before it; of tries that no span tells, the number is all.
tries as (
    select
        trace_id,
        attempt,
        lag(case when status = 'error' then attempt end) over (
            partition by trace_id, kind, tool_name, agent_name
            order by started_at, span_id
        ) as failed_attempt
    from settled_calls
    where counted and kind != 'agent' and attempt is not null
),

retries as (
    select
        trace_id,
        sum(greatest(attempt - case when failed_attempt < attempt then failed_attempt else 1 end, 0)) as retry_count
    from tries
    group by trace_id
),

call_sums as (
    select
        trace_id,
        count(*) filter (where kind = 'llm') as llm_call_count,
        count(*) filter (where kind = 'llm' and status = 'error') as failed_llm_call_count,
        count(*) filter (where kind = 'embedding') as embedding_call_count,
        count(*) filter (where kind = 'tool') as tool_call_count,
        count(*) filter (where kind = 'tool' and status = 'error') as failed_tool_call_count,
        case
            when count(tool_input_hash) > 0
                then
                    -- A further try of a call is a retry.
                    greatest(
                        count(tool_input_hash) filter (where coalesce(attempt, 1) <= 1)
                        - count(distinct tool_name || '/' || tool_input_hash),
                        0
                    )
        end as loop_count,
        sum(input_tokens) as input_tokens,
        sum(output_tokens) as output_tokens,
        sum(cache_read_tokens) as cache_read_tokens,
        sum(cache_write_tokens) as cache_write_tokens,
        sum(reasoning_tokens) as reasoning_tokens,
        sum(cost_usd) as cost_usd,
        count(*) filter (
            where kind != 'tool' and cost_usd is null and coalesce(input_tokens, output_tokens) is not null
        ) as unpriced_call_count,
        min(epoch_us(started_at) / 1000.0 + time_to_first_token_ms) as first_token_epoch_ms,
        max(epoch_us(started_at) / 1000.0 + time_to_last_token_ms) filter (where kind = 'llm') as last_token_epoch_ms,
        arg_max(span_id, (cost_usd, span_id)) filter (where cost_usd is not null) as dearest_span_id
    from settled_calls
    where counted
    group by trace_id
)

select
    roots.trace_id,
    roots.name as root_name,
    roots.service,
    coalesce(root_tree.agent_name, agents.agent_names[1]) as agent_name,
    context.session_id,
    context.user_id,
    span_sums.started_at,
    case
        when roots.parent_span_id is null then coalesce(roots.duration_ms, span_sums.extent_ms)
        else span_sums.extent_ms
    end as duration_ms,
    span_sums.span_count,
    span_sums.error_span_count,
    coalesce(call_sums.llm_call_count, 0) as llm_call_count,
    coalesce(call_sums.failed_llm_call_count, 0) as failed_llm_call_count,
    coalesce(call_sums.embedding_call_count, 0) as embedding_call_count,
    coalesce(call_sums.tool_call_count, 0) as tool_call_count,
    coalesce(call_sums.failed_tool_call_count, 0) as failed_tool_call_count,
    cast(retries.retry_count as bigint) as retry_count,
    steps.step_count,
    call_sums.loop_count,
    cast(call_sums.input_tokens as bigint) as input_tokens,
    cast(call_sums.output_tokens as bigint) as output_tokens,
    cast(call_sums.cache_read_tokens as bigint) as cache_read_tokens,
    cast(call_sums.cache_write_tokens as bigint) as cache_write_tokens,
    cast(call_sums.reasoning_tokens as bigint) as reasoning_tokens,
    call_sums.cost_usd,
    coalesce(call_sums.unpriced_call_count, 0) as unpriced_call_count,
    call_sums.first_token_epoch_ms - epoch_us(span_sums.started_at) / 1000.0 as time_to_first_token_ms,
    call_sums.last_token_epoch_ms - epoch_us(span_sums.started_at) / 1000.0 as time_to_last_token_ms,
    coalesce(agents.agent_names, []) as agent_names,
    context.architecture,
    case
        when roots.parent_span_id is null then roots.status
        when span_sums.any_error then 'error'
        else 'ok'
    end as status,
    case when roots.parent_span_id is null then roots.span_id end as root_span_id,
    call_sums.dearest_span_id,
    context.first_received_at,
    context.last_received_at
from roots
inner join span_sums using (trace_id)
inner join trace_context as context using (trace_id)
left join span_tree as root_tree using (trace_id, span_id)
left join call_sums using (trace_id)
left join retries using (trace_id)
left join steps using (trace_id)
left join agents using (trace_id)
