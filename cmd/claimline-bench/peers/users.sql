-- The users of the claiming organization as claimline users --json has them, as plainly as SQL can say it:
-- the same columns of the same users in the same order. Days and reasons are those of claims just made, and
-- dates are numbers: in sqlite3's favour.
.mode json
SELECT u.email, ifnull(iif(c.delayed, 'delayed_claim', c.status_before), u.status) AS status,
    iif(c.id IS NULL, '', iif(c.delayed, 'delayed', 'immediate')) AS claim_type, c.claimed_at, iif(c.id IS NULL, NULL, 14) AS days_left,
    c.id IS NOT NULL AS retractable, iif(c.id IS NULL, 'not_claimed', '') AS retract_reason, iif(c.id IS NULL OR c.delayed, u.conversations, 0) AS conversations,
    a.retention_days, json(ifnull(iif(c.id IS NULL, u.services, c.services), '[]')) AS licenses
FROM organizations a CROSS JOIN users u INDEXED BY users_key LEFT JOIN claims c ON c.user = u.id AND c.closed_at IS NULL
WHERE a.external_id = 'acme' AND (u.organization = a.id OR c.organization = a.id)
ORDER BY u.key;
