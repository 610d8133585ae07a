-- grain: one finding about what a service sends, over the last 24 hours of data, with the line that mends it
create or replace view main.doctor_findings as
with found as (
    select * from store.doctor_no_usage(store.doctor_since())
    union all by name
    select * from store.doctor_unpriced_model(store.doctor_since())
    union all by name
    select * from store.doctor_unmatched_tier(store.doctor_since())
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

-- Of the globs that fit a scope the longest holds, of the scopes of a finding the one with the lowest rank.
fixed as (
    select
        scoped.* exclude (scopes),
        fixes.rank,
        fixes.fix
    from scoped
    inner join store.doctor_fixes() as fixes
        on
            scoped.fix_key = fixes.fix_key
            and coalesce(scoped.scope, '') glob fixes.scope_pattern
    qualify
        row_number() over (
            partition by scoped.service, scoped.fix_key, scoped.detail, scoped.scope
            order by length(fixes.scope_pattern) desc
        ) = 1
),

mended as (
    select
        * exclude (scope, rank, fix),
        arg_min(replace(replace(fix, '{scope}', coalesce(scope, 'it')), '{detail}', coalesce(detail, '')), rank) as fix
    from fixed
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
