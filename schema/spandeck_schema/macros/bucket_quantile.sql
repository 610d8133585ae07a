-- grain: the quantile of a group from its buckets, interpolated as quantile_cont does, so at most 1 % from it
-- seen counts the values of the group up to and with the bucket, total all of them; wanted chooses the buckets.
create or replace macro store.bucket_quantile(wanted, bucket, seen, total, quantile) as
min(store.bucket_ms(bucket)) filter (where wanted and seen > floor(quantile * (total - 1)))
+ (
    min(store.bucket_ms(bucket)) filter (where wanted and seen > ceil(quantile * (total - 1)))
    - min(store.bucket_ms(bucket)) filter (where wanted and seen > floor(quantile * (total - 1)))
) * max(quantile * (total - 1) - floor(quantile * (total - 1))) filter (where wanted);
