-- grain: one span that looked into a cache of answers or of tool results
create or replace view main.cache_lookups as
select
    trace_id,
    span_id,
    service,
    agent_name,
    session_id,
    started_at,
    kind as asked_by,
    tool_name,
    cache_hit as is_hit,
    cache_kind,
    store.to_number(attributes['spandeck.cache.score']) as score,
    store.to_number(attributes['spandeck.cache.age_s']) * 1000 as age_ms,
    cache_saved_usd as saved_usd,
    store.to_text(attributes['spandeck.cache.reject_rule']) as reject_rule,
    coalesce(store.to_flag(attributes['spandeck.cache.stale']), false) as is_stale,
    store.to_flag(attributes['spandeck.cache.shadow_hit']) as is_shadow_hit
from store.spans
where cache_hit is not null and kind != 'details';
