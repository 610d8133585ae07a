-- grain: one distinct part of the content received in an hour; rarely the same part twice
create table if not exists store.content_parts ( -- noqa: PRS
    received_hour timestamp not null,
    hash varchar not null,
    content varchar not null using compression zstd
);
