-- SQLite alone: there a table without a rowid holds the row with its key. Here nothing changes.
SELECT 1;
