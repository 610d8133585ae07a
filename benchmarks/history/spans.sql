-- grain: one span of a day: traces of an invoke_agent, five chat and six execute_tool, numbered from $first on
with traces as (
    select
        number,
        printf('%016x%016x', hash(number, 'a'), hash(number, 'b')) as trace_id,
        cast($day as timestamp)
        + to_microseconds(cast((number - $first + draw(number, 'start')) / $trace_count * 86300e6 as bigint)) as begun_at,
        1 + cast(floor(6 * draw(number, 'agent')) as integer) as agent,
        printf('conv-%08x', hash(number // 3, 'session') % 4294967296) as session_id,
        'user-' || hash(number // 3, 'user') % 5000 as user_id
    from range($first, $first + $trace_count) as numbers (number)
),

places as (
    select
        traces.*,
        place,
        number * 12 + place as salt,
        case place % 12
            when 0 then 'agent'
            when 1 then 'llm'
            when 3 then 'llm'
            when 6 then 'llm'
            when 8 then 'llm'
            when 11 then 'llm'
            else 'tool'
        end as kind,
        1 + cast(floor(4 * draw(salt, 'model') ** 2) as integer) as model,
        1 + cast(floor(20 * draw(salt, 'tool') ** 2) as integer) as tool
    from traces
    cross join range(12) as places (place)
),

timed as (
    select
        *,
        case kind
            when 'llm' then round(300 * model * exp(1.6 * draw(salt, 'ms')) * (1 + 3 * draw(salt, 'slow') ** 9), 3)
            when 'tool' then round(5 * tool * exp(2.5 * draw(salt, 'ms')), 3)
        end as own_ms
    from places
),

laid as (
    select
        *,
        coalesce(sum(own_ms + 1) over (partition by number order by place rows between unbounded preceding and 1 preceding), 0)
            as offset_ms,
        coalesce(own_ms, sum(own_ms + 1) over (partition by number)) as duration_ms
    from timed
),

named as (
    select
        *,
        printf('%016x', hash(salt, 'span')) as span_id,
        begun_at + to_microseconds(cast(offset_ms * 1000 as bigint)) as started_at,
        ['research-agent', 'billing-agent', 'support-agent', 'search-agent'][1 + agent % 4] as service,
        ['researcher', 'biller', 'supporter', 'searcher', 'planner', 'reviewer'][agent] as agent_name,
        case when kind = 'llm' then ['openai', 'anthropic', 'openai', 'gcp.gemini'][model] end as provider,
        case when kind = 'llm' then ['gpt-4o-mini', 'claude-sonnet-4-5', 'gpt-4.1', 'gemini-2.5-flash'][model] end
            as request_model,
        case when kind = 'tool' then 'tool_' || tool end as tool_name,
        case when draw(salt, 'error') < 0.02 and kind != 'agent' then 'error' else 'ok' end as status,
        case when kind = 'llm' then 200 + cast(5800 * draw(salt, 'in') as bigint) end as input_tokens,
        case when kind = 'llm' then 10 + cast(890 * draw(salt, 'out') as bigint) end as output_tokens,
        case when kind = 'llm' then printf('chatcmpl-%016x%08x', hash(salt, 'c'), hash(salt, 'd') % 4294967296) end
            as response_id,
        case when kind = 'tool' then printf('call_%016x', hash(salt, 'call')) end as tool_call_id
    from laid
)

select
    trace_id,
    span_id,
    case when place > 0 then printf('%016x', hash(number * 12, 'span')) end as parent_span_id,
    service,
    '1.4.2' as service_version,
    service || '-' || number % 3 as service_instance,
    'production' as environment,
    ['bench.agent', 'bench.llm', 'bench.tools'][if(kind = 'agent', 1, if(kind = 'llm', 2, 3))] as scope,
    '1.0' as scope_version,
    'other' as family,
    case kind
        when 'agent' then 'invoke_agent ' || agent_name
        when 'llm' then 'chat ' || request_model
        else 'execute_tool ' || tool_name
    end as name,
    if(kind = 'llm', 'CLIENT', 'INTERNAL') as otel_kind,
    kind,
    ['invoke_agent', 'chat', 'execute_tool'][if(kind = 'agent', 1, if(kind = 'llm', 2, 3))] as operation,
    provider,
    request_model,
    request_model || '-2026-01-01' as response_model,
    response_id,
    case when kind = 'agent' then agent_name end as agent_name,
    tool_name,
    tool_call_id,
    session_id,
    user_id,
    started_at,
    started_at + to_microseconds(cast(duration_ms * 1000 as bigint)) as ended_at,
    cast(0 as usmallint) as started_rest_ns,
    cast(0 as usmallint) as ended_rest_ns,
    duration_ms,
    case when kind = 'llm' then round(duration_ms * (0.1 + 0.4 * draw(salt, 'first')), 3) end as time_to_first_token_ms,
    status,
    if(status = 'error', 'ERROR', 'UNSET') as otel_status,
    case when status = 'error' then ['TimeoutError', 'RateLimitError'][1 + salt % 2] end as error_type,
    case when status = 'error' then 'deadline exceeded after 2000 ms' end as error_message,
    status = 'error' as had_exception,
    case when kind = 'llm' then ['stop'] end as finish_reasons,
    input_tokens,
    output_tokens,
    case when kind = 'llm' then input_tokens // 3 end as cache_read_tokens,
    case when kind = 'llm' then 'reported' end as usage_basis,
    case when kind = 'llm' then 'gen_ai.usage.input_tokens' end as usage_source,
    [] as flags,
    begun_at + to_microseconds(cast(last_value(offset_ms) over (partition by number order by place rows between unbounded preceding and unbounded following) * 1000 as bigint) + 5000000) as received_at,
    case kind
        when 'llm' then map {
            'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': provider, 'gen_ai.request.model': request_model,
            'gen_ai.response.model': request_model || '-2026-01-01', 'gen_ai.request.temperature': '0.2',
            'gen_ai.request.max_tokens': '1024', 'gen_ai.usage.input_tokens': input_tokens::varchar,
            'gen_ai.usage.output_tokens': output_tokens::varchar, 'gen_ai.response.id': response_id,
            'gen_ai.response.finish_reasons': '["stop"]', 'server.address': 'api.' || provider || '.example',
            'gen_ai.conversation.id': session_id, 'session.id': session_id, 'user.id': user_id, 'app.version': '3.14.1'
        }
        when 'tool' then map {
            'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool_name, 'gen_ai.tool.call.id': tool_call_id,
            'gen_ai.tool.type': 'function', 'gen_ai.tool.description': 'Runs ' || tool_name || ' against the backing service',
            'tool.row_count': (hash(salt, 'rows') % 500)::varchar, 'gen_ai.conversation.id': session_id,
            'session.id': session_id, 'user.id': user_id, 'app.version': '3.14.1'
        }
        else map {
            'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent_name, 'gen_ai.conversation.id': session_id,
            'session.id': session_id, 'user.id': user_id, 'app.version': '3.14.1'
        }
    end as attributes,
    map {
        'service.name': service, 'service.version': '1.4.2', 'service.instance.id': service || '-' || number % 3,
        'deployment.environment.name': 'production', 'telemetry.sdk.language': 'python',
        'telemetry.sdk.name': 'opentelemetry', 'host.name': 'node-' || number % 5, 'process.pid': (4000 + number % 7)::varchar
    } as resource
from named
order by number, place
