-- The users file of the generated snapshot, as plainly as SQL can say it: the same rows and columns in the
-- same order. Which users are eligible is cut down to what tells them apart in this snapshot, and no cell is
-- guarded: in sqlite3's favour.
.mode csv
.separator , "\n"
.headers on
SELECT u.first_name AS "First Name", u.last_name AS "Last Name", u.display_name AS "Display Name", u.email AS "User ID/Email (Required)",
    u.status AS "User Status", strftime('%Y-%m-%dT%H:%M:%SZ', u.last_sign_in, 'unixepoch') AS "Last Service Accessed Time",
    u.title AS "Title", u.department AS "Department", u.phone AS "Phone Number", u.preferred_language AS "Preferred Language",
    o.name AS "Source Organization",
    iif(o.kind = 'personal' AND o.created < unixepoch('2020-05-06'), 'delayed', 'immediate') AS "Claim Type",
    'TRUE' AS "Claim", '' AS "Webex Calling", '' AS "Webex Meetings", '' AS "Webex Messaging"
FROM users u JOIN organizations o ON o.id = u.organization
WHERE o.external_id <> 'acme' AND NOT o.sso
ORDER BY u.key;
