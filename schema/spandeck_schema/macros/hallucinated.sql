-- grain: whether an evaluation found a hallucination: by label, else by a score from 0 to 1; NULL if it is not about it
create or replace macro store.hallucinated(name, score, label) as
case
    when not regexp_matches(lower(name), 'hallucinat|faithful|grounded') then null
    when trim(lower(label)) in (
        'hallucinated', 'hallucination', 'unfaithful', 'ungrounded', 'not faithful', 'not_faithful', 'not grounded',
        'not_grounded', 'not factual', 'not_factual', 'unsupported', 'fail', 'failed'
    ) then true
    when trim(lower(label)) in (
        'factual', 'faithful', 'grounded', 'supported', 'not hallucinated', 'not_hallucinated', 'no hallucination',
        'no_hallucination', 'non-hallucinated', 'pass', 'passed', 'none'
    ) then false
    -- What yes means, and a high score, depends on what was asked.
    when trim(lower(label)) in ('yes', 'true') then contains(lower(name), 'hallucinat')
    when trim(lower(label)) in ('no', 'false') then not contains(lower(name), 'hallucinat')
    when score between 0 and 1 then (score >= 0.5) = contains(lower(name), 'hallucinat')
end;
