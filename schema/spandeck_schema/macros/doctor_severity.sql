-- grain: how grave a finding is: the grade of its kind, one lower where it concerns less than a twentieth
create or replace macro store.doctor_severity(grade, affected_ratio) as
case
    when affected_ratio >= 0.05 then grade
    when grade = 'error' then 'warning'
    else 'info'
end;
