-- grain: a provider and model that new spans name for the first time
select distinct
    named.provider,
    named.model
from (
    select
        coalesce(provider, '') as provider,
        unnest([response_model, request_model]) as model
    from new_spans
    where coalesce(input_tokens, output_tokens) is not null
) as named
anti join store.price_models using (provider, model)
where named.model is not null
