package store

import (
	"context"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Claims is what happens to accounts after they were claimed (R15, R16, R20 to R23).
//
// A case is the account with an address key as it stands now, with its Organization, Domain, Former and Closed filled in; where there is no
// such account, its Account is the zero Account.
type Claims interface {
	// Change changes accounts together with their claims, in one transaction. It finds the cases of the address keys under
	// lock, with what is due of them, and of the licences of the organization, written; calls decide with them, in the
	// order of the keys; and writes the effects decide returns: one per case, in the same order, or fewer. A blank
	// organization stands for the one with an open claim on the first address, or the one it belongs to. Two equal keys
	// are not allowed.
	//
	// With the effects go licences (R17), activation mails (R18), and tombstones of accounts that are Gone: what a claim
	// held is released when it is retracted or removed; what a delayed claim asked for is given out, as far as it lasts,
	// to the account that joins; what an account that moves or is removed held is released. A claim that a choice has
	// closed is from then on the claim of the account that joined, and accounts that it changed stay as they are in later
	// loads. decide may be called again after a conflict; its error is returned, and nothing is written.
	Change(ctx context.Context, clock claim.Clock, organization string, keys []string, decide func([]claim.Case) ([]claim.Effect, error)) error

	// Members hands over, in batches ordered by address key, the case of every account that belongs to the organization
	// or is under its open claim. The batch is not valid after each returns; an error of each ends the listing and is returned.
	Members(ctx context.Context, clock claim.Clock, organization string, each func([]claim.Case) error) error

	// ImportClaims hands over, in batches in the order of the file, the claims that an import made. Refused with
	// CodeImportNotFound. The rest is as with Members.
	ImportClaims(ctx context.Context, clock claim.Clock, importID int64, each func([]ImportClaim) error) error

	// Sweep writes all that time has made due, in all organizations, a few accounts per transaction: stopped half-way,
	// it can be run again. It counts what it wrote; imports are not its business (see RemoveImports).
	Sweep(ctx context.Context, clock claim.Clock) (schema.Swept, error)
}

// ImportClaim is a claim that an import made, with the case of the account it is on; no Key where that is gone.
type ImportClaim struct {
	Line int // of the row in the import's file
	Case claim.Case
}
