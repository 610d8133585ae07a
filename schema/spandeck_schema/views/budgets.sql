-- grain: a budget, for each value where it has one for each: of today, or of a session with a call in the last 7 days
create or replace view main.budgets as
with used as (
    select
        service,
        agent_name,
        user_id,
        model,
        session_id,
        started_at,
        cost_usd,
        max(started_at) over (partition by session_id) as session_last_at
    from main.llm_calls
    where coalesce(input_tokens, output_tokens) is not null
),

periods as (
    select
        *,
        cast(timezone(time_zone, now()) as date) as day,
        list_contains([service, agent_name, user_id, model], '*') as is_for_each
    from store.budgets
),

spent as (
    select
        periods.*,
        case when periods.service = '*' then used.service else periods.service end as for_service,
        case when periods.agent_name = '*' then used.agent_name else periods.agent_name end as for_agent_name,
        case when periods.user_id = '*' then used.user_id else periods.user_id end as for_user_id,
        case when periods.model = '*' then used.model else periods.model end as for_model,
        case when periods.period = 'session' then used.session_id end as for_session_id,
        used.started_at,
        used.cost_usd
    from periods
    left join used
        on
            store.falls_under(periods.service, used.service)
            and store.falls_under(periods.agent_name, used.agent_name)
            and store.falls_under(periods.user_id, used.user_id)
            and store.falls_under(periods.model, used.model)
            and case periods.period
                when 'day'
                    then cast(timezone(periods.time_zone, timezone('UTC', used.started_at)) as date) = periods.day
                else used.session_last_at >= timezone('UTC', now()) - interval 7 day
            end
            and (periods.period = 'day' or used.session_id is not null)
)

select
    budget,
    period,
    case when period = 'day' then day end as day,
    for_session_id as session_id,
    for_service as service,
    for_agent_name as agent_name,
    for_user_id as user_id,
    for_model as model,
    any_value(time_zone) as time_zone,
    any_value(soft_usd) as soft_usd,
    any_value(hard_usd) as hard_usd,
    coalesce(sum(cost_usd), 0) as spent_usd,
    case when any_value(hard_usd) is not null then greatest(any_value(hard_usd) - spent_usd, 0) end as left_usd,
    count(*) filter (where started_at is not null and cost_usd is null) as unpriced_call_count,
    case
        when spent_usd >= any_value(hard_usd) then 'hard'
        when spent_usd >= any_value(soft_usd) then 'soft'
        else 'ok'
    end as state
from spent
-- A budget for each value has no row before there is a value.
where started_at is not null or (period = 'day' and not is_for_each)
group by all;
