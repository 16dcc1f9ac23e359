package schema

// Actor is who must act so that a row can be claimed.
type Actor string

// The actors.
const (
	ActorFile         Actor = "file"         // whoever edits the file
	ActorOrganization Actor = "organization" // the claiming organization's administrators
	ActorElsewhere    Actor = "elsewhere"    // another organization, or its users
	ActorImport       Actor = "import"       // nobody: the import as a whole did not come to the row
)

// Actors lists the actors, those first who can act at once.
var Actors = []Actor{ActorFile, ActorOrganization, ActorElsewhere, ActorImport}

// Actor returns who must act on rows with this first reason; empty for a code that is no row's problem.
func (c Code) Actor() Actor {
	switch c {
	case CodeUserNotFound, CodeStaleClaimType, CodeDomainNotOurs, CodeCaseMismatch:
		return ActorFile
	case CodeDomainNotVerified, CodeDirectorySyncEnabled, CodeInternal, CodeNotInDirectory:
		return ActorOrganization
	case CodeClaimedElsewhere, CodeDomainClaimedElsewhere, CodeDomainVerifiedElsewhere, CodeSourceSSO, CodeSourceDirectorySync:
		return ActorElsewhere
	case CodeCancelled, CodeAllOrNothing, CodeConsentDeclined:
		return ActorImport
	}
	if c.Outcome() == Invalid {
		return ActorFile
	}
	return ""
}

// OfImport reports whether c is why an import as a whole was not done, declined, cancelled or rejected, which
// is no row's own reason.
func (c Code) OfImport() bool { return c.Actor() == ActorImport }

// Problem reports whether rows with this first reason want somebody's attention: see Result.Problem.
func (c Code) Problem() bool { return c.Outcome().Problem() && !c.OfImport() }
