-- grain: one trace, settled: its counts, usage and cost hold all spans stored so far
create or replace view main.traces as
select * exclude (first_received_at, last_received_at)
from store.traces
-- Of some traces only logs have come.
where span_count > 0;
