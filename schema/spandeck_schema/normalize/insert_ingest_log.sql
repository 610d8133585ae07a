-- grain: an exporter and signal of the batch
with told as (
    select
        'traces' as signal,
        incoming_spans.received_at,
        incoming_spans.resource,
        incoming_spans.address,
        -- A span in place of an outdated one is stored already.
        new_arrivals.arrival is not null and outdated_spans.span_id is null as is_new
    from incoming_spans
    left join new_arrivals using (arrival)
    left join outdated_spans
        on
            new_arrivals.arrival is not null
            and incoming_spans.trace_id = outdated_spans.trace_id
            and incoming_spans.span_id = outdated_spans.span_id
    where not incoming_spans.from_log
    union all by name
    select
        'logs' as signal,
        incoming_logs.received_at,
        incoming_logs.resource,
        incoming_logs.address,
        new_logs.arrival is not null as is_new
    from incoming_logs
    left join new_logs using (arrival)
    union all by name
    select
        'metrics' as signal,
        incoming_metrics.received_at,
        incoming_metrics.resource,
        incoming_metrics.address,
        new_metrics.arrival is not null as is_new
    from incoming_metrics
    left join new_metrics using (arrival)
)

insert into store.ingest_log by name
select
    min(received_at) as began_at,
    0 as length_s,
    max(received_at) as logged_at,
    store.to_text(resource['service.name'])[:256] as service,
    store.to_text(resource['telemetry.sdk.name'])[:256] as sdk_name,
    store.to_text(resource['telemetry.sdk.language'])[:256] as sdk_language,
    store.to_text(resource['telemetry.sdk.version'])[:256] as sdk_version,
    address,
    signal,
    count(*) as received_count,
    count(*) filter (where is_new) as stored_count,
    count(*) filter (where not is_new) as duplicate_count,
    0 as refused_count
from told
group by service, sdk_name, sdk_language, sdk_version, address, signal
