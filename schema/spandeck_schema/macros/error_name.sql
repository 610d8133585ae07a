-- grain: the last part of an error's class name, one spelling for what SDKs and providers write for one thing
create or replace macro store.error_name(error) as
regexp_replace(
    case
        when regexp_matches(error, '^[a-z]+(_[a-z]+)*_error$')
            then array_to_string(list_transform(string_split(error, '_'), lambda word: upper(word[1]) || word[2:]), '')
        else regexp_extract(error, '([^.]+)$', 1)
    end,
    '^(OpenAI|Anthropic|LiteLLM|AI_)([A-Z])',
    '\2'
);
