-- grain: one trace of the step that has a call whose price is not the present one
insert into touched_traces by name
select
    trace_id,
    first_received_at as known_since
from step_traces
where trace_id in (
    select repriced.trace_id
    from store.repriced_calls() as repriced
    where
        repriced.price_id is distinct from repriced.present_price_id
        and repriced.first_received_at >= (select min(first_received_at) from step_traces)
        and repriced.first_received_at <= (select max(first_received_at) from step_traces)
)
