-- grain: one span of a page (5,000) of a trace, or above one; a subtree holds the counted calls of a span and below
-- params: trace, page
with recursive
stored as (
    select
        span_id,
        parent_span_id,
        name,
        kind,
        coalesce(response_model, request_model) as model,
        service,
        started_at,
        duration_ms,
        ended_at is null as is_open,
        time_to_first_token_ms,
        status,
        error_type
    from spans
    where trace_id = cast($trace as varchar)
),

-- work that was announced while it runs, and whose span has not come yet
announced as (
    select
        log_records.span_id,
        log_records.attributes['spandeck.span.parent_id'] as parent_span_id,
        coalesce(log_records.attributes['spandeck.span.name'], 'open span') as name,
        case log_records.attributes['gen_ai.operation.name']
            when 'invoke_agent' then 'agent'
            when 'create_agent' then 'agent'
            when 'execute_tool' then 'tool'
            when 'embeddings' then 'embedding'
            else if(log_records.attributes['gen_ai.operation.name'] is null, 'other', 'llm')
        end as kind,
        log_records.attributes['gen_ai.request.model'] as model,
        log_records.service,
        log_records.occurred_at as started_at,
        cast(null as double) as duration_ms,
        true as is_open,
        cast(null as double) as time_to_first_token_ms,
        'ok' as status,
        cast(null as varchar) as error_type
    from log_records
    anti join stored on log_records.span_id = stored.span_id
    where log_records.trace_id = cast($trace as varchar) and log_records.event_name = 'spandeck.span.open'
    qualify row_number() over (partition by log_records.span_id order by log_records.received_at) = 1
),

told as (
    select * from stored
    union all
    select * from announced
),

trace_spans as (
    select
        *,
        row_number() over (order by started_at asc, duration_ms desc, span_id asc) as number
    from told
),

calls as (
    select
        span_id,
        coalesce(input_tokens + output_tokens, input_tokens, output_tokens) as token_count,
        cost_usd,
        cost_usd is null and coalesce(input_tokens, output_tokens) is not null as is_unpriced
    from llm_calls
    where trace_id = cast($trace as varchar)
),

-- union, not union all: spans that name each other as parent must end
shown as (
    select
        span_id,
        parent_span_id
    from trace_spans
    where number > 5000 * (cast($page as bigint) - 1) and number <= 5000 * cast($page as bigint)
    union
    select
        trace_spans.span_id,
        trace_spans.parent_span_id
    from shown
    inner join trace_spans on shown.parent_span_id = trace_spans.span_id
),

ancestry as (
    select
        trace_spans.span_id,
        trace_spans.span_id as ancestor_id
    from trace_spans
    left join calls on trace_spans.span_id = calls.span_id
    where calls.span_id is not null or trace_spans.status = 'error'
    union
    select
        ancestry.span_id,
        trace_spans.parent_span_id as ancestor_id
    from ancestry
    inner join trace_spans on ancestry.ancestor_id = trace_spans.span_id
    where trace_spans.parent_span_id is not null
),

subtrees as (
    select
        ancestry.ancestor_id as span_id,
        cast(sum(calls.token_count) as bigint) as token_count,
        sum(calls.cost_usd) as cost_usd,
        count(*) filter (where calls.is_unpriced) as unpriced_call_count,
        count(*) filter (where trace_spans.status = 'error') as error_count
    from ancestry
    inner join trace_spans on ancestry.span_id = trace_spans.span_id
    left join calls on ancestry.span_id = calls.span_id
    group by ancestry.ancestor_id
),

first_start as (
    select min(epoch_us(started_at)) as started_us from trace_spans
)

select
    trace_spans.span_id,
    trace_spans.parent_span_id,
    trace_spans.name,
    trace_spans.kind,
    trace_spans.model,
    trace_spans.service,
    (epoch_us(trace_spans.started_at) - first_start.started_us) / 1000.0 as offset_ms,
    trace_spans.duration_ms,
    trace_spans.is_open,
    trace_spans.time_to_first_token_ms,
    trace_spans.status,
    trace_spans.error_type,
    trace_spans.parent_span_id is not null
    and parents.span_id is null as is_orphan,
    subtrees.token_count,
    subtrees.cost_usd,
    subtrees.unpriced_call_count,
    subtrees.error_count,
    calls.span_id is not null as is_counted
from trace_spans
inner join shown on trace_spans.span_id = shown.span_id
cross join first_start
left join trace_spans as parents on trace_spans.parent_span_id = parents.span_id
left join subtrees on trace_spans.span_id = subtrees.span_id
left join calls on trace_spans.span_id = calls.span_id
order by trace_spans.number
