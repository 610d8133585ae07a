-- grain: one row, what this file is
create table if not exists store.about (
    schema_version bigint not null,
    definitions_digest varchar not null,
    prices_source varchar not null,
    normalized_by varchar not null,
    normalized_at timestamp
);
