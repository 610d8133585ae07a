"""The words and the SQL of Spandeck: attribute names, mapping data, tables, normalization, views, alert rules."""
