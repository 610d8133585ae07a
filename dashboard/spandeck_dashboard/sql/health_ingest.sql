-- grain: an exporter and signal, or a reason for refusals, with what was received, stored and refused, latest first
-- params: now
select
    coalesce(service, if(refused_count > 0, 'refused before it was read', 'unnamed service')) as service,
    concat_ws(' ', signal, sdk_language, sdk_version, address) as sent_by,
    received_count,
    stored_count,
    duplicate_count,
    refused_count,
    epoch(cast($now as timestamp)) - epoch(last_received_at) as last_received_age_s,
    refusal_reason,
    epoch(cast($now as timestamp)) - epoch(last_refused_at) as last_refused_age_s
from ingest_health
order by greatest(last_received_at, last_refused_at) desc nulls last, service asc, signal asc
limit 200
