-- grain: one received log record
create or replace view main.log_records as
select * from store.log_records;
