-- grain: the minute of the day in UTC, 0 to 1439
create or replace macro store.minute_of_day(moment) as hour(moment) * 60 + minute(moment);
