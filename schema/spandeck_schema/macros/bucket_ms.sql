-- grain: the milliseconds that stand for a bucket, at most 1 % from any duration in it
create or replace macro store.bucket_ms(bucket) as case
    when bucket > -32768 then 2e0 * exp(bucket * ln(1.01e0 / 0.99e0)) / (1e0 + 1.01e0 / 0.99e0)
    when bucket is not null then 0e0
end;
