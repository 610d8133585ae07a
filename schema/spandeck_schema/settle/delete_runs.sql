-- grain: one row of a touched trace that was settled before
delete from store.agent_runs
where
    first_received_at >= (select min(known_since) from touched_traces)
    and trace_id in (select trace_id from touched_traces where known_since is not null)
