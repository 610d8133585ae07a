-- grain: a service and an objective, over what started in a range; not reported: attained_ratio NULL
-- What is measured is a request (trace), an access to short-term memory, or a retrieval: a search in a document store
-- or in long-term or episodic memory.
create or replace macro main.service_objectives_between(since, until) as table
    with measured as (
        select
            'request' as subject,
            service,
            started_at,
            duration_ms,
            status
        from main.traces
        where
            started_at >= coalesce(cast(since as timestamp), '-infinity')
            and started_at < coalesce(cast(until as timestamp), 'infinity')
        union all
        select
            case when memory_tier = 'short_term' then 'state' else 'retrieval' end as subject,
            service,
            started_at,
            duration_ms,
            status
        from store.spans
        where
            started_at >= coalesce(cast(since as timestamp), '-infinity')
            and started_at < coalesce(cast(until as timestamp), 'infinity')
            and (
                kind = 'retriever'
                or (
                    kind = 'memory'
                    and (
                        memory_tier = 'short_term'
                        or (operation = 'search_memory' and memory_tier in ('long_term', 'episodic'))
                    )
                )
            )
    ),

    services as (
        select
            service,
            max(started_at) as last_started_at
        from measured
        group by service
    ),

    objectives as (
        select
            service,
            last_started_at,
            unnest([
                {
                    'objective': 'availability',
                    'subject': 'request',
                    'description': 'requests that did not fail',
                    'threshold_ms': cast(null as double),
                    'target_ratio': cast(0.999 as double)
                },
                {
                    'objective': 'latency_median',
                    'subject': 'request',
                    'description': 'requests done within 2 s',
                    'threshold_ms': 2000,
                    'target_ratio': 0.50
                },
                {
                    'objective': 'latency',
                    'subject': 'request',
                    'description': 'requests done within 5 s',
                    'threshold_ms': 5000,
                    'target_ratio': 0.95
                },
                {
                    'objective': 'state_access',
                    'subject': 'state',
                    'description': 'accesses to short-term memory below 1 ms',
                    'threshold_ms': 1,
                    'target_ratio': 0.95
                },
                {
                    'objective': 'retrieval',
                    'subject': 'retrieval',
                    'description': 'retrievals below 100 ms',
                    'threshold_ms': 100,
                    'target_ratio': 0.95
                },
                {
                    'objective': 'retrieval_real_time',
                    'subject': 'retrieval',
                    'description': 'retrievals below 50 ms, as real time asks',
                    'threshold_ms': 50,
                    'target_ratio': 0.95
                }
            ]) as target
        from services
    ),

    -- How fast the budget is spent now is told by the last hour in which the service has data.
    judged as (
        select
            objectives.service,
            objectives.target.objective as objective,
            objectives.target.description as description,
            objectives.target.threshold_ms as threshold_ms,
            objectives.target.target_ratio as target_ratio,
            measured.started_at,
            measured.started_at > objectives.last_started_at - interval 1 hour as is_recent,
            case
                when objectives.target.threshold_ms is null then measured.status != 'error'
                when objectives.target.subject = 'request' then measured.duration_ms <= objectives.target.threshold_ms
                else measured.duration_ms < objectives.target.threshold_ms
            end as is_good
        from objectives
        left join measured
            on
                objectives.service is not distinct from measured.service
                and objectives.target.subject = measured.subject
    )

    select
        service,
        objective,
        description,
        threshold_ms,
        target_ratio,
        count(is_good) as measured_count,
        count(*) filter (where is_good) as good_count,
        good_count / nullif(measured_count, 0) as attained_ratio,
        attained_ratio >= target_ratio as is_attained,
        1 - (1 - attained_ratio) / (1 - target_ratio) as budget_left_ratio,
        (1 - count(*) filter (where is_good and is_recent) / nullif(count(is_good) filter (where is_recent), 0))
        / (1 - target_ratio) as burn_rate,
        max(started_at) filter (where is_good is not null) as last_started_at
    from judged
    group by service, objective, description, threshold_ms, target_ratio;
