-- grain: the first whole hour or day (`part`) that begins at a time or after it
create or replace macro store.first_whole(part, begins_at) as
date_trunc(
    part,
    cast(begins_at as timestamp) + case part when 'day' then interval 1 day else interval 1 hour end
    - interval 1 microsecond
);
