-- grain: a bar of the period (whole days of the zone from three days upwards) and one of the five dearest, or "other"
-- params: by, zone, since, until, service, model, agent
with
given as (
    select
        cast($zone as varchar) as zone,
        cast($since as timestamp) as since,
        cast($until as timestamp) as until
),

width as (
    select
        *,
        if(until - since >= interval 3 day, 86400000, (epoch_ms(until) - epoch_ms(since)) / 48) as width_ms
    from given
),

bounds as (
    select
        width_ms,
        until,
        epoch_ms(
            case
                when width_ms = 86400000
                    then
                        cast(
                            date_trunc('day', since at time zone 'UTC' at time zone zone)
                            at time zone zone at time zone 'UTC'
                            as timestamp
                        )
                else since
            end
        ) as since_ms
    from width
),

calls as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        case cast($by as varchar)
            when 'Agent' then coalesce(agent_name, 'outside any agent')
            when 'Service' then coalesce(service, 'unnamed service')
            when 'Session' then coalesce(session_id, 'no session')
            when 'Provider' then coalesce(provider, 'unnamed provider')
            else coalesce(model, 'unnamed model')
        end as name,
        cost_usd
    from llm_calls, bounds
    where
        cost_usd is not null
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

ranked as (
    select
        name,
        row_number() over (order by sum(cost_usd) desc, count(*) desc, name asc) as rank
    from calls
    group by name
),

layers as (
    select distinct
        least(rank, 6) as rank,
        if(rank > 5, 'other', name) as name
    from ranked
),

sums as (
    select
        calls.bucket,
        least(ranked.rank, 6) as rank,
        sum(calls.cost_usd) as cost_usd
    from calls
    inner join ranked on calls.name = ranked.name
    group by all
),

buckets as (
    select unnest(range(cast(ceil((epoch_ms(until) - since_ms) / width_ms) as bigint))) as bucket
    from bounds
)

select
    cast(since_ms + (buckets.bucket + 0.5) * width_ms as bigint) as middle_ms,
    layers.rank,
    layers.name,
    round(sums.cost_usd, 6) as cost_usd
from layers
cross join buckets
cross join bounds
left join sums on layers.rank = sums.rank and buckets.bucket = sums.bucket
order by layers.rank, middle_ms
