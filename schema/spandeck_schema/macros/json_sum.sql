-- grain: the sum of the counts under those keys of a JSON object (in a text) that are like one of the patterns
create or replace macro store.json_sum(value, patterns) as
list_sum(
    list_transform(
        list_filter(
            json_keys(store.json_of(value)),
            lambda key: list_bool_or(list_transform(patterns, lambda pattern: key glob pattern))
        ),
        lambda key: try_cast(json_extract_string(store.json_of(value), key) as double)
    )
);
