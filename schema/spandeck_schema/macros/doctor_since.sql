-- grain: since when the doctor looks: a day before the newest span, so that what was mended is forgotten
create or replace macro store.doctor_since() as (
    select max(spans.received_at) - interval 24 hours
    from store.spans
);
