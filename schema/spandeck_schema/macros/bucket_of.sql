-- grain: the bucket of a duration: b holds (gamma^(b-1), gamma^b] ms, gamma being 1.01/0.99; zero and less have one
create or replace macro store.bucket_of(ms) as case
    when ms > 0 then cast(ceil(ln(ms) / ln(1.01e0 / 0.99e0)) as smallint)
    when ms is not null then cast(-32768 as smallint)
end;
