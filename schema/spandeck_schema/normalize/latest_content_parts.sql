-- grain: one part of the latest hour that has content
select
    received_hour,
    hash
from store.content_parts
where received_hour = (select max(received_hour) from store.content_parts)
limit $most
