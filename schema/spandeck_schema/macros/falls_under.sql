-- grain: whether a value falls under the filter of a budget: NULL lets all through, '*' every value that is known
create or replace macro store.falls_under(wanted, value) as (
    wanted is null or (value is not null and wanted in ('*', value))
);
