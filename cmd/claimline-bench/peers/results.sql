-- Makes results.csv, for bulk.sql, of the report of an import as JSON Lines. Not timed.
CREATE TABLE report (row TEXT);
.mode ascii
.separator "\037" "\n"
.import results.jsonl report
.mode csv
.separator , "\n"
.once results.csv
SELECT 1, row ->> 'line', row ->> 'outcome', row ->> 'reason', iif(row ->> 'claim_id' = '', 0, row ->> 'claim_id') FROM report;
