"""The store: the only owner of the database; tails the journal, runs the SQL, answers queries."""
