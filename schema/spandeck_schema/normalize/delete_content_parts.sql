-- grain: one part of content received before the cutoff
delete from store.content_parts where received_hour < $cutoff
