-- question: Which calls have no price?
select *
from unpriced_calls
