package schema

import "time"

// Policy holds the limits and days that the rules leave to the operator (R14).
type Policy struct {
	ScreenLimit         int    `koanf:"screen_limit" yaml:"screen_limit" validate:"min=1"`                                 // eligible users listed on screen
	ManualLimit         int    `koanf:"manual_limit" yaml:"manual_limit" validate:"min=1"`                                 // addresses claimed by hand in one go
	DecisionDays        int    `koanf:"decision_days" yaml:"decision_days" validate:"min=1,max=36500"`                     // R21, R22
	InactiveDays        int    `koanf:"inactive_days" yaml:"inactive_days" validate:"min=1,max=36500"`                     // R23
	DelayedCreatedUntil string `koanf:"delayed_created_until" yaml:"delayed_created_until" validate:"datetime=2006-01-02"` // R11, a UTC date, inclusive
	DelayedClaims       bool   `koanf:"delayed_claims" yaml:"delayed_claims"`                                              // R11
	MaxRows             int    `koanf:"max_rows" yaml:"max_rows" validate:"min=0"`                                         // 0: no limit
	AllOrNothingMaxRows int    `koanf:"all_or_nothing_max_rows" yaml:"all_or_nothing_max_rows" validate:"min=1"`
	KeepImports         int    `koanf:"keep_imports" yaml:"keep_imports" validate:"min=0,max=36500"` // days after the end of an import
	RetractByImport     bool   `koanf:"retract_by_import" yaml:"retract_by_import"`                  // R22

	DomainElsewhere DomainElsewhere `koanf:"domain_elsewhere" yaml:"domain_elsewhere" validate:"oneof=claimed verified overlapping"` // R6
}

// DomainElsewhere is what it takes of another organization that nobody else claims users of a domain (R6).
type DomainElsewhere string

// What another organization has done with a domain; each takes in those before it.
const (
	ElsewhereClaimed     DomainElsewhere = "claimed"
	ElsewhereVerified    DomainElsewhere = "verified"
	ElsewhereOverlapping DomainElsewhere = "overlapping" // it has verified a parent or sub domain
)

// DefaultPolicy returns the policy of an operator who has configured nothing.
func DefaultPolicy() Policy {
	return Policy{
		ScreenLimit:         250,
		ManualLimit:         25,
		DecisionDays:        14,
		InactiveDays:        30,
		DelayedCreatedUntil: "2020-05-05",
		DelayedClaims:       true,
		AllOrNothingMaxRows: 20000,
		KeepImports:         90,
		RetractByImport:     true,
		DomainElsewhere:     ElsewhereClaimed,
	}
}

// ControlHub2026 is the policy of Webex Control Hub as it is since March 2026: delayed claims are withdrawn,
// 100 users are listed, nobody is claimed from a domain that another organization has verified, or one that
// overlaps with it, and who is missing from the directory is deleted after 7 days. Only directory
// synchronization makes members inactive here (R23); Control Hub's 30 days are for those who are deleted
// by hand.
const ControlHub2026 = "control-hub-2026"

// Presets lists the names of policies that somebody may begin with.
var Presets = []string{ControlHub2026}

// PresetPolicy returns the policy of a name; ok is false where there is none.
func PresetPolicy(name string) (p Policy, ok bool) {
	if p = DefaultPolicy(); name != ControlHub2026 {
		return p, false
	}
	const listed, days = 100, 7
	p.DelayedClaims, p.ScreenLimit, p.InactiveDays, p.DomainElsewhere = false, listed, days, ElsewhereOverlapping
	return p, true
}

// maxDays is the most days that a policy can speak of: a hundred years, which a time.Duration can hold.
const maxDays = 36500

// days returns so many days, within what a policy can speak of.
func days(n int) time.Duration { return time.Duration(min(max(n, 0), maxDays)) * 24 * time.Hour }

// DecisionTime returns how long the owner of a delayed claim has, and how long a claim can be retracted (R21,
// R22).
func (p Policy) DecisionTime() time.Duration { return days(p.DecisionDays) }

// InactiveTime returns how long an inactive member stays (R23).
func (p Policy) InactiveTime() time.Duration { return days(p.InactiveDays) }

// KeepTime returns how long an ended import keeps its file and rows.
func (p Policy) KeepTime() time.Duration { return days(p.KeepImports) }
