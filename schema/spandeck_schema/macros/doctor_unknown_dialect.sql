-- grain: a service and scope of no known family whose spans say something of models, tokens or prompts
-- The newest span of each of the twenty commonest names of a scope is looked at, not every span.
create or replace macro store.doctor_unknown_dialect(since) as table
    with names as (
        select
            service,
            scope,
            name,
            count(*) as span_count,
            max(rowid) as example_row
        from store.spans
        where kind = 'other' and family = 'other' and received_at >= since
        group by service, scope, name
        qualify row_number() over (partition by service, scope order by span_count desc, name asc) <= 20
    ),

    examples as (
        select
            rowid as example_row,
            trace_id,
            span_id,
            list_sort(
                list_filter(
                    map_keys(attributes),
                    lambda key: regexp_matches(
                        lower(key),
                        '(^|[._-])(model|model_name|modelid|prompt|prompts|completion|.*tokens?|llm)([._-]|$)'
                    )
                )
            ) as keys
        from store.spans
        where rowid in (select names.example_row from names)
    ),

    totals as (
        select
            service,
            scope,
            count(*) as total_count
        from store.spans
        where kind = 'other' and family = 'other' and received_at >= since
        group by service, scope
    )

    select
        'unknown_dialect' as fix_key,
        'unknown_dialect' as finding,
        'error' as grade,
        names.service,
        [names.scope] as scopes,
        names.scope as detail,
        cast(sum(names.span_count) as bigint) as affected_count,
        any_value(totals.total_count) as total_count,
        arg_max(examples.trace_id, examples.example_row) as example_trace_id,
        arg_max(examples.span_id, examples.example_row) as example_span_id,
        format(
            '{:,} spans of {} look like model calls, but their attributes are not understood: {}.',
            affected_count,
            coalesce(names.scope, 'no scope'),
            array_to_string(list_sort(list_distinct(flatten(list(examples.keys))))[:5], ', ')
        ) as message
    from names
    inner join examples using (example_row)
    inner join totals
        on
            names.service is not distinct from totals.service
            and names.scope is not distinct from totals.scope
    where examples.keys != []
    group by names.service, names.scope;
