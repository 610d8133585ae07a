-- grain: a day (UTC) and service whose requests went through the optimizer: what it saved, and what it took
create or replace view main.savings_by_day as
with decisions as (
    select
        trace_id,
        span_id,
        service,
        cast(started_at as date) as day,
        kind,
        cache_hit,
        attributes['spandeck.cache.shadow_hit'] = 'true' as shadow_hit,
        attributes['spandeck.cache.stale'] = 'true' as stale,
        try_cast(attributes['spandeck.cache.saved_usd'] as double) as saved_usd,
        try_cast(attributes['spandeck.cache.lookup_s'] as double) * 1000 as lookup_ms,
        attributes['spandeck.route.tier'] as route_tier,
        try_cast(attributes['spandeck.compress.before'] as bigint) as before_characters,
        try_cast(attributes['spandeck.compress.after'] as bigint) as after_characters,
        try_cast(attributes['spandeck.compress.duration_s'] as double) * 1000 as compress_ms
    from store.spans
    where family = 'spandeck'
),

wrong as (
    select distinct trace_id
    from main.evaluations
    where
        hallucinated
        or lower(label) in ('wrong', 'incorrect', 'bad', 'negative', 'thumbs_down', 'fail', 'failed', 'irrelevant')
        or (lower(name) like '%feedback%' and label is null and score <= 0)
),

of_spans as (
    select
        day,
        service,
        count(cache_hit) as lookup_count,
        count(*) filter (where cache_hit) as hit_count,
        count(*) filter (where cache_hit and kind = 'tool') as tool_hit_count,
        count(*) filter (where shadow_hit) as shadow_hit_count,
        count(*) filter (where cache_hit and stale) as stale_hit_count,
        count(*) filter (where cache_hit and kind != 'tool' and wrong.trace_id is not null) as wrong_hit_count,
        count(*) filter (where cache_hit and kind != 'tool' and saved_usd is null) as unpriced_hit_count,
        sum(saved_usd) filter (where cache_hit) as cache_saved_usd,
        count(before_characters) as compressed_count,
        cast(sum(before_characters - after_characters) as bigint) as compressed_away_characters,
        sum(lookup_ms) as lookup_ms,
        sum(compress_ms) as compress_ms
    from decisions
    left join wrong using (trace_id)
    where coalesce(cast(cache_hit as varchar), route_tier, cast(before_characters as varchar)) is not null
    group by all
),

routes as (
    select
        trace_id,
        arg_min(route_tier, span_id) as route_tier
    from decisions
    where route_tier is not null
    group by trace_id
),

routed as (
    select
        calls.*,
        cast(calls.started_at as date) as day,
        routes.route_tier,
        prices.price_model
    from store.calls
    inner join routes using (trace_id)
    left join store.each_price() as prices using (price_id)
    where calls.counted and calls.kind = 'llm'
),

-- What the router spared is known by the model that the same service's complex requests went to.
dearest as (
    select
        service,
        mode(price_model) as price_model
    from routed
    where route_tier = 'complex'
    group by service
),

of_routes as (
    select
        routed.day,
        routed.service,
        count(distinct routed.trace_id) as routed_count,
        sum(
            store.cost_usd(
                routed.kind,
                routed.input_tokens,
                routed.cache_read_tokens,
                routed.cache_write_tokens,
                routed.cache_write_1h_tokens,
                routed.audio_input_tokens,
                routed.output_tokens,
                routed.audio_output_tokens,
                routed.reasoning_tokens,
                prices.input_usd_per_mtok,
                prices.cache_read_usd_per_mtok,
                prices.cache_write_usd_per_mtok,
                prices.cache_write_1h_usd_per_mtok,
                prices.audio_input_usd_per_mtok,
                prices.output_usd_per_mtok,
                prices.audio_output_usd_per_mtok,
                prices.reasoning_usd_per_mtok,
                prices.request_usd
            ) - routed.cost_usd
        ) filter (where routed.route_tier in ('simple', 'medium')) as route_saved_usd
    from routed
    left join dearest using (service)
    left join store.prices
        on
            dearest.price_model = prices.price_model
            and prices.service_tier = 'standard'
            and routed.started_at >= prices.valid_from
            and routed.started_at < prices.valid_to
            and store.minute_of_day(routed.started_at) >= prices.from_minute
            and store.minute_of_day(routed.started_at) < prices.to_minute
            and routed.input_tokens >= prices.from_input_tokens
            and routed.input_tokens < prices.to_input_tokens
            and prices.used_to = store.ever()
    group by routed.day, routed.service
),

spent as (
    select
        cast(started_at as date) as day,
        service,
        sum(cost_usd) as cost_usd,
        count(*) filter (where cost_usd is null and coalesce(input_tokens, output_tokens) is not null)
            as unpriced_call_count
    from main.llm_calls
    group by all
)

select
    of_spans.day,
    of_spans.service,
    of_spans.lookup_count,
    of_spans.hit_count,
    of_spans.tool_hit_count,
    of_spans.shadow_hit_count,
    of_spans.stale_hit_count,
    of_spans.wrong_hit_count,
    of_spans.unpriced_hit_count,
    of_spans.cache_saved_usd,
    coalesce(of_routes.routed_count, 0) as routed_count,
    of_routes.route_saved_usd,
    of_spans.compressed_count,
    of_spans.compressed_away_characters,
    case
        when coalesce(of_spans.cache_saved_usd, of_routes.route_saved_usd) is not null
            then coalesce(of_spans.cache_saved_usd, 0) + coalesce(of_routes.route_saved_usd, 0)
    end as saved_usd,
    spent.cost_usd,
    coalesce(spent.unpriced_call_count, 0) as unpriced_call_count,
    of_spans.lookup_ms,
    of_spans.compress_ms,
    case
        when coalesce(of_spans.lookup_ms, of_spans.compress_ms) is not null
            then coalesce(of_spans.lookup_ms, 0) + coalesce(of_spans.compress_ms, 0)
    end as added_ms
from of_spans
left join of_routes on of_spans.day = of_routes.day and of_spans.service is not distinct from of_routes.service
left join spent on of_spans.day = spent.day and of_spans.service is not distinct from spent.service;
