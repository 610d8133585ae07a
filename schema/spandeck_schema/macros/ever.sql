-- grain: the time that stands for no end, in validity and use of prices
create or replace macro store.ever() as timestamp '9999-01-01';
