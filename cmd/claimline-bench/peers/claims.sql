-- Makes claims.csv, for bulk.sql, of the database that an import has ended in. Not timed.
.mode csv
.separator , "\n"
.once claims.csv
SELECT id, user, organization, delayed, claimed_at, status_before, edits, services, import, line FROM claims WHERE import IS NOT NULL ORDER BY id;
