-- grain: one content value of a new span or of a new log record
insert into store.span_content by name
select incoming_content.* exclude (arrival)
from incoming_content
where
    case
        when origin = 'log' then arrival in (select new_logs.arrival from new_logs)
        else arrival in (select new_arrivals.arrival from new_arrivals)
    end
