"""Alert rules, the states of what they say, and how alerts reach people; no database is opened here."""
