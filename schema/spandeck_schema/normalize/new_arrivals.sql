-- grain: one incoming span that is not stored yet, with what its events tell; of a resent span the latest end wins
with arrivals as (
    select arg_max(incoming_spans.arrival, (incoming_spans.ended_ns, -incoming_spans.arrival)) as arrival
    from incoming_spans
    anti join stored_spans
        on
            incoming_spans.trace_id = stored_spans.trace_id
            and incoming_spans.span_id = stored_spans.span_id
    group by incoming_spans.trace_id, incoming_spans.span_id
),

told as (
    select
        arrival,
        arg_min(store.to_text(attributes['exception.type']), occurred_at) filter (where name = 'exception')
            as exception_type,
        arg_min(store.to_text(attributes['exception.message']), occurred_at) filter (where name = 'exception')
            as exception_message,
        count(*) filter (where name = 'exception') > 0 as had_exception,
        min(occurred_at) filter (where store.is_first_token(name)) as first_token_at,
        store.to_list(arg_min(attributes['finish_reason'], occurred_at) filter (where name = 'gen_ai.choice'))
            as choice_finish_reasons
    from incoming_events
    group by arrival
)

select
    arrivals.arrival,
    told.exception_type,
    told.exception_message,
    coalesce(told.had_exception, false) as had_exception,
    told.first_token_at,
    told.choice_finish_reasons
from arrivals
left join told using (arrival)
