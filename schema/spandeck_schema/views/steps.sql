-- grain: one declared step of an agent: the spans of one step number below one parent, within no span of that number
create or replace view main.steps as
select * from main.steps_between(null, null);
