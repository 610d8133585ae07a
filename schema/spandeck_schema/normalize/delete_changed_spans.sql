-- grain: one row from before of a changed span
delete from store.spans
where rowid in (select arrival from changed_spans)
