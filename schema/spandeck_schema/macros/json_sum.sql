-- grain: the sum of the counts under those keys of a JSON object that are like one of the patterns
create or replace macro store.json_sum(json_value, patterns) as
list_sum(
    list_transform(
        list_filter(
            json_keys(json_value),
            lambda key: list_bool_or(list_transform(patterns, lambda pattern: key glob pattern))
        ),
        lambda key: try_cast(json_extract_string(json_value, key) as double)
    )
);
