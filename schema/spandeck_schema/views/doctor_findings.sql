-- grain: one finding about what a service sends, over the last 24 hours of data, with the line that mends it
create or replace view main.doctor_findings as
with found as (
    select * from store.doctor_no_usage(store.doctor_since())
    union all by name
    select * from store.doctor_unpriced_model(store.doctor_since())
    union all by name
    select * from store.doctor_no_first_token(store.doctor_since())
    union all by name
    select * from store.doctor_double_instrumentation(store.doctor_since())
    union all by name
    select * from store.doctor_tree(store.doctor_since())
    union all by name
    select * from store.doctor_truncated(store.doctor_since())
    union all by name
    select * from store.doctor_unknown_dialect(store.doctor_since())
    union all by name
    select * from store.doctor_cost_differs(store.doctor_since())
),

scoped as (
    select
        *,
        unnest(scopes) as scope
    from found
),

mended as (
    select
        scoped.* exclude (scopes, scope),
        arg_min(
            replace(
                replace(fixes.fix, '{scope}', coalesce(scoped.scope, 'it')),
                '{detail}',
                coalesce(scoped.detail, '')
            ),
            fixes.rank
        ) as fix
    from scoped
    inner join store.doctor_fixes() as fixes
        on
            scoped.fix_key = fixes.fix_key
            and coalesce(scoped.scope, '') glob fixes.scope_pattern
    group by all
)

select
    service,
    finding,
    store.doctor_severity(grade, affected_count / total_count) as severity,
    affected_count,
    total_count,
    affected_count / total_count as affected_ratio,
    example_trace_id,
    example_span_id,
    detail,
    message,
    fix
from mended;
