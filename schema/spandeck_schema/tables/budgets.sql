-- grain: one budget of budgets.toml: a day's or a session's cost of what its filters let through
-- A filter of '*' makes a budget of its own for each value; NULL takes all values together.
create table if not exists store.budgets (
    budget varchar not null,
    period varchar not null,
    time_zone varchar not null,
    service varchar,
    agent_name varchar,
    user_id varchar,
    model varchar,
    soft_usd double,
    hard_usd double
);
