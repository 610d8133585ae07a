-- grain: one distinct part of the content received in an hour; rarely the same part twice
-- noqa: disable=PRS
create table if not exists store.content_parts (
    received_hour timestamp not null,
    hash varchar not null,
    content varchar not null using compression zstd
);
