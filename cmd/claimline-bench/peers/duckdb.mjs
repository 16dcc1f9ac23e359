// The serious peer: DuckDB makes the row checks in SQL, on all cores. Prints the number of bad rows.
import { DuckDBInstance } from '@duckdb/node-api'

const connection = await (await DuckDBInstance.create(':memory:')).connect()
const literal = (s) => `'${s.replaceAll("'", "''")}'`
const atom = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+"
const label = '[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?'
const email = literal(`${atom}(\\.${atom})*@(${label}\\.)+${label}`)
const control = literal('[\\x00-\\x1f\\x7f-\\x{9f}\\x{2028}\\x{2029}\\x{fffd}]')
const text = ['First Name', 'Last Name', 'Display Name', 'Title', 'Department'].map((name) => `"${name}"`)
const any = (check) => text.map(check).join(' OR ')

const answer = await connection.runAndReadAll(`
  WITH file AS (
    SELECT *, row_number() OVER () AS line, trim("User ID/Email (Required)") AS email
    FROM read_csv(${literal(process.argv[2])}, header = true, delim = ',', quote = '"', escape = '"', all_varchar = true,
      store_rejects = true, rejects_limit = 0)
  ), checked AS (
    SELECT line,
      CASE WHEN coalesce(email, '') <> '' AND strlen(email) <= 254 AND strpos(email, '@') <= 65
        AND regexp_full_match(email, ${email}) THEN lower(email) END AS key,
      CASE
        WHEN NOT coalesce(upper(trim("Claim")), '') IN ('', 'TRUE', 'T', 'FALSE', 'F') THEN 'boolean_invalid'
        WHEN coalesce(email, '') = '' THEN 'email_missing'
        WHEN strlen(email) > 254 THEN 'email_too_long'
        WHEN key IS NULL THEN 'email_invalid'
        WHEN ${any((cell) => `length(trim(${cell})) > 64`)} THEN 'text_too_long'
        WHEN ${any((cell) => `regexp_matches(trim(${cell}), ${control})`)} THEN 'text_invalid'
        WHEN "Phone Number" <> '' AND NOT regexp_full_match(trim("Phone Number"), '''?\\+[1-9][0-9]{1,14}') THEN 'phone_invalid'
        WHEN "Preferred Language" <> '' AND NOT regexp_full_match(trim("Preferred Language"), '[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*') THEN 'language_invalid'
        WHEN "Claim Type" <> '' AND NOT lower(trim("Claim Type")) IN ('immediate', 'delayed') THEN 'claim_type_invalid'
      END AS problem
    FROM file
    WHERE NOT coalesce(upper(trim("Claim")), '') IN ('FALSE', 'F')
  )
  SELECT sum(bad) FROM (
    -- Rows with a problem of their own, and those that only repeat the address of an earlier line.
    SELECT count(problem) + CASE WHEN key IS NULL THEN 0
      ELSE count(*) FILTER (problem IS NULL) - arg_min(problem IS NULL, line)::INT END AS bad
    FROM checked GROUP BY key)`)
const ragged = await connection.runAndReadAll('SELECT count(DISTINCT line) FROM reject_errors')
console.log(String(BigInt(answer.getRows()[0][0]) + BigInt(ragged.getRows()[0][0])))
