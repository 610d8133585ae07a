-- grain: one row: how many spans of the touched traces are made of log records that say more of another span
select count(*) as details_count
from trace_spans
where kind = 'details'
