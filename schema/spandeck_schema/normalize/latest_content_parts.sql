-- grain: one part of the latest hour that has content
with latest as (
    select max(received_hour) as received_hour from store.content_parts
)

select
    content_parts.received_hour,
    content_parts.hash
from store.content_parts
semi join latest using (received_hour)
order by content_parts.hash
limit $most
