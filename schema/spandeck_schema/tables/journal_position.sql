-- grain: one row, the place in the journal up to which everything is stored
create table if not exists store.journal_position (
    segment bigint not null,
    byte_offset bigint not null
);
