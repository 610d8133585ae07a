-- grain: one span that is a call or carries usage: whether it stands in the sums, and why its numbers are what they are
create or replace view main.usage_reasons as
select
    trace_id,
    span_id,
    kind,
    started_at,
    service,
    scope,
    counted,
    reason,
    duplicate_trace_id,
    duplicate_of,
    case reason
        when 'leaf' then 'It counts: no other span tells this call better.'
        when 'only_usage' then 'It counts: nothing below this span has usage.'
        when 'call_below' then 'It does not count: calls below this span tell its usage.'
        when 'call_above' then 'It does not count: the call above has the usage, this one has none.'
        when 'same_response' then 'It does not count: another instrumentation tells the same response id.'
        when 'same_call' then 'It does not count: another instrumentation tells the same model, tokens and time.'
        when 'same_tool_call' then 'It does not count: another span tells the same tool call.'
    end as counting,
    usage_basis,
    usage_source,
    usage_scope,
    case
        when kind = 'tool' then null
        when usage_basis = 'inclusive' then 'input_tokens as sent: they include cached tokens.'
        when usage_basis = 'added' then 'Cached tokens were added: the emitter leaves them out of its input count.'
        when usage_basis = 'unknown'
            then 'input_tokens as sent: whether they include cached tokens is not known of this emitter.'
        else 'No usage was sent: tokens are unknown.'
    end as tokens,
    input_tokens,
    own_input_tokens,
    output_tokens,
    case
        when cost_usd is not null then 'Priced by ' || price_id || ': see cost_reasons.'
        when kind = 'tool' then 'A tool call has no price.'
        when coalesce(input_tokens, output_tokens) is null then 'No cost: tokens are unknown.'
        when store.price_tier(service_tier) != 'standard'
            then 'No cost: no price at the service tier ' || store.price_tier(service_tier) || ', or of this model.'
        when price_id is null then 'No cost: this provider and model have no price, or a needed count is missing.'
    end as pricing,
    cost_usd,
    price_id
from store.calls;
