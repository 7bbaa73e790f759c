"""The database: columns of bytes, in SQLite or in memory."""
