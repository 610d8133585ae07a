-- grain: upgrade to version 008: alerts know their states, repeats and who raised them
alter table store.alerts rename to alerts_before_008;

create table store.alerts (
    rule varchar not null,
    severity varchar not null,
    subject varchar not null,
    message varchar not null,
    value double,
    threshold double,
    fired_at timestamp,
    resolved_at timestamp,
    state varchar not null,
    trace_id varchar,
    span_id varchar,
    alert_key varchar not null,
    pending_at timestamp not null,
    quiet_at timestamp,
    last_at timestamp not null,
    repeat_count bigint not null,
    raised_by varchar not null,
    follows_trace boolean not null,
    noticed_at timestamp not null
);

insert into store.alerts by name
with keyed as (
    select
        alerts_before_008.* replace (
            case
                when rule = 'failed_tool_call' then rule || '/' || trace_id || '/' || subject
                else alert_key
            end as alert_key
        ),
        coalesce(traces.last_received_at, fired_at) as noticed_at
    from store.alerts_before_008
    left join store.traces using (trace_id)
)

select
    rule,
    min(severity) as severity,
    min(subject) as subject,
    arg_min(message, (fired_at, span_id)) as message,
    arg_min(value, (fired_at, span_id)) as value,
    arg_min(threshold, (fired_at, span_id)) as threshold,
    min(fired_at) as fired_at,
    max(resolved_at) as resolved_at,
    min(state) as state,
    trace_id,
    arg_min(span_id, (fired_at, span_id)) as span_id,
    alert_key,
    min(fired_at) as pending_at,
    max(fired_at) as last_at,
    count(*) as repeat_count,
    'store' as raised_by,
    true as follows_trace,
    max(noticed_at) as noticed_at
from keyed
group by rule, trace_id, alert_key;

drop table store.alerts_before_008;

create table store.alert_clocks (
    rule varchar not null,
    digest varchar not null,
    evaluated_until timestamp not null,
    received_until timestamp not null,
    seen_subjects varchar not null
);

create table store.alert_rules (
    rule varchar not null,
    source varchar not null,
    severity varchar,
    judged varchar,
    window_s double,
    interval_s double,
    for_s double,
    cool_down_s double,
    minimum_volume bigint,
    no_data varchar,
    message varchar,
    query varchar,
    error varchar,
    error_line bigint
);

create table store.alert_marks (
    kind varchar not null,
    rule varchar not null,
    subject varchar not null,
    alert_key varchar not null,
    marked_at timestamp not null,
    until_at timestamp
);

create table store.alert_deliveries (
    alert_key varchar not null,
    channel varchar not null,
    rule varchar not null,
    subject varchar not null,
    state varchar not null,
    attempt_count bigint not null,
    next_attempt_at timestamp not null,
    error varchar,
    noticed_at timestamp not null,
    updated_at timestamp not null
);
