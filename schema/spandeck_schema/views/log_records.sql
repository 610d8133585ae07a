-- grain: one received log record; what is sent twice stands once
create or replace view main.log_records as
select * exclude (content_hash)
from store.log_records;
