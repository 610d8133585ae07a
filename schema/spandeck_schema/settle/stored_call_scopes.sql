-- grain: one scope of the stored calls that tells calls of this kind
select distinct
    case when kind in ('llm', 'embedding') then kind else 'tool' end as kind,
    coalesce(scope, '') as scope
from store.calls
where kind in ('llm', 'embedding') or tool_call_id is not null
