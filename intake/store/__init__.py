"""Storage by SQLAlchemy Core: tables, mapping, grouped units of work, SQLite and PostgreSQL, migrations."""
