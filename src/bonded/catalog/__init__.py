"""What is known, in SQL: the schema, its migrations, and one file per aggregate."""
