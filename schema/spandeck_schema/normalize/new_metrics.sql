-- grain: one incoming metric point that is not stored yet, with the hash that knows it when it is sent again
-- A point that does not say when it was measured cannot be told from another one with the same value.
with stored as (
    select
        metric_points.occurred_at,
        metric_points.content_hash
    from store.metric_points
    where
        metric_points.occurred_at >= (
            select min(incoming_metrics.occurred_at)
            from incoming_metrics
            where epoch_us(incoming_metrics.occurred_at) > 0
        )
        and metric_points.occurred_at <= (select max(incoming_metrics.occurred_at) from incoming_metrics)
)

select
    min(incoming_metrics.arrival) as arrival,
    incoming_metrics.point_hash as content_hash
from incoming_metrics
anti join stored
    on
        incoming_metrics.occurred_at = stored.occurred_at
        and incoming_metrics.point_hash = stored.content_hash
group by
    incoming_metrics.point_hash,
    incoming_metrics.occurred_at,
    case when epoch_us(incoming_metrics.occurred_at) = 0 then incoming_metrics.arrival end
