-- A listing starts at once, however many accounts there are. What imports write is kept small: of the indexes
-- here they touch one alone, at its end. A first load makes users_organization when all users are there.

-- +goose Up

-- The members of a small organization among many accounts, their number in any, and how many accounts there
-- are by organization and domain, which is all that tells most of those apart who can be claimed.
CREATE INDEX users_organization ON users (organization, substr(key, instr(key, '@') + 1));

-- The open immediate claims of an organization, the first first, and their number; claims_delayed has the
-- others.
CREATE INDEX claims_immediate ON claims (organization, claimed_at) WHERE NOT delayed AND closed_at IS NULL;

-- When a mail was written. NULL: when the claim was made.
ALTER TABLE outbox ADD COLUMN written_at INTEGER;
