-- grain: one scope of the new spans that tells calls of this kind
select distinct
    case when kind in ('llm', 'embedding') then kind else 'tool' end as kind,
    coalesce(scope, '') as scope
from new_spans
where kind in ('llm', 'embedding') or tool_call_id is not null
