-- grain: one trace, with what its spans say about missing parents and open ends
-- params: trace
with
span_facts as (
    select
        count(*) filter (
            where parent_span_id is not null
            and parent_span_id not in (select span_id from spans where trace_id = cast($trace as varchar))
        ) as orphan_count,
        count(*) filter (where parent_span_id is null) as root_count
    from spans
    where trace_id = cast($trace as varchar)
)
select
    traces.*,
    coalesce(input_tokens + output_tokens, input_tokens, output_tokens) as token_count,
    span_facts.orphan_count,
    span_facts.root_count
from traces
cross join span_facts
where trace_id = cast($trace as varchar)
