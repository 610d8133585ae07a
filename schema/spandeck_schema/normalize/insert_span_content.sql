-- grain: one content value of a new span or of a log record
insert into store.span_content by name
select incoming_content.* exclude (arrival)
from incoming_content
where arrival is null or arrival in (select new_arrivals.arrival from new_arrivals)
