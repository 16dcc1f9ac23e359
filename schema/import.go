package schema

import (
	"strings"
	"time"
)

// Outcome is how a row ended; every row has exactly one.
type Outcome string

// The outcomes of a row.
const (
	Ready        Outcome = "ready"         // would be claimed; only in a plan
	Claimed      Outcome = "claimed"       // was claimed
	Unchanged    Outcome = "unchanged"     // was claimed, or a member, before
	Skipped      Outcome = "skipped"       // its Claim is FALSE
	Invalid      Outcome = "invalid"       // the row itself is wrong
	Ineligible   Outcome = "ineligible"    // a rule forbids it
	Failed       Outcome = "failed"        // machinery broke, after retries
	NotAttempted Outcome = "not_attempted" // its turn never came
)

// The outcomes of a row that was handed off to Control Hub, beside Claimed.
const (
	Accepted       Outcome = "accepted"        // Control Hub said nothing against it
	Refused        Outcome = "refused"         // Control Hub refused it
	ClaimDelayed   Outcome = "delayed"         // claimed, and its owner has not decided
	StillClaimable Outcome = "still_claimable" // not claimed
	NotFound       Outcome = "not_found"       // no fresh export lists it
	TakenElsewhere Outcome = "taken_elsewhere" // claimed by another organization
)

// HandoffOutcomes lists the outcomes of rows that were handed off, in the order in which they are shown.
var HandoffOutcomes = []Outcome{Accepted, Claimed, ClaimDelayed, Refused, StillClaimable, NotFound, TakenElsewhere}

// Unfinished reports whether a row with this outcome was handed off, and is not claimed.
func (o Outcome) Unfinished() bool {
	switch o {
	case Refused, ClaimDelayed, StillClaimable, NotFound, TakenElsewhere:
		return true
	}
	return false
}

// Outcomes lists every outcome of an import, in the order summaries show them.
var Outcomes = []Outcome{Ready, Claimed, Unchanged, Skipped, Invalid, Ineligible, Failed, NotAttempted}

// Problem reports whether rows with this outcome want somebody's attention.
func (o Outcome) Problem() bool {
	return o == Invalid || o == Ineligible || o == Failed || o == NotAttempted
}

// Problem reports whether the row wants somebody's attention. A row that was not attempted does for a reason
// of its own alone, and not for what the import as a whole did not do.
func (r Result) Problem() bool {
	return r.Reason.Problem()
}

// Problems counts the rows that want somebody's attention: see Result.Problem.
func (s *Summary) Problems() int {
	return s.Invalid + s.Ineligible + s.Failed + notAttempted(s.Reasons)
}

// Problems counts the rows that want somebody's attention: see Result.Problem.
func (t *Tally) Problems() int {
	return t.Outcomes[Invalid] + t.Outcomes[Ineligible] + t.Outcomes[Failed] + notAttempted(t.Reasons)
}

// notAttempted counts the rows that were not attempted for a reason of their own.
func notAttempted(reasons map[Code]int) (n int) {
	for reason, rows := range reasons {
		if reason.Outcome() == NotAttempted && reason.Problem() {
			n += rows
		}
	}
	return n
}

// ClaimType says when a claimed account joins (R11).
type ClaimType string

// The claim types.
const (
	Immediate ClaimType = "immediate" // the account joins at once
	Delayed   ClaimType = "delayed"   // the owner has policy.decision_days to decide
)

// ByHand is what the file of a claim by hand is called, in plans and in the list of imports.
const ByHand = "claim by hand"

// ImportState is where an import stands.
type ImportState string

// The states of an import.
const (
	StateQueued              ImportState = "queued" // agreed to, and nobody has begun
	StatePlanning            ImportState = "planning"
	StateAwaitingConsent     ImportState = "awaiting_consent"
	StateApplying            ImportState = "applying"
	StateCompleted           ImportState = "completed"
	StateCompletedWithErrors ImportState = "completed_with_errors"
	StateRejected            ImportState = "rejected"
	StateCancelled           ImportState = "cancelled"
	StateInterrupted         ImportState = "interrupted" // trouble lasted, or its process died (see Import.At)
	StateFailed              ImportState = "failed"      // its process died while it was planned (see Import.At)
)

// Ended reports whether nobody works on an import in this state.
func (s ImportState) Ended() bool {
	switch s {
	case StateCompleted, StateCompletedWithErrors, StateRejected, StateCancelled, StateFailed:
		return true
	}
	return false
}

// Result is what became of one row: in a plan what would, in a report what did.
type Result struct {
	Line      int       `json:"line"`       // physical line on which the record starts, the header's being 1
	Email     string    `json:"email"`      // as written in the file, trimmed
	ClaimType ClaimType `json:"claim_type"` // only where ready or claimed
	Outcome   Outcome   `json:"outcome"`
	Reason    Code      `json:"reason"`  // the first of Reasons
	Reasons   []Code    `json:"reasons"` // all that apply, in the order of the checks
	Column    string    `json:"column"`  // header of the offending cell, where there is one
	Message   string    `json:"message"`
	Fix       string    `json:"fix"`
	Warnings  []string  `json:"warnings"` // "code" or "code:detail"
	Licenses  []string  `json:"licenses"` // assigned, or to be; sorted
	Edits     Edits     `json:"edits"`    // of the account, where ready or claimed (R17)
	ClaimID   string    `json:"claim_id"` // only where claimed

	Part int `json:"part,omitempty"` // of a hand-off, from 1
	Row  int `json:"row,omitempty"`  // among the users of the part, from 1
}

// Edits is what a row changes of an account: by column, the account's value and the row's (R17).
type Edits map[string][2]string

// ColumnEdits is what the ready rows of a file change in one column of the users file (R17).
type ColumnEdits struct {
	Column string `json:"column"`
	Count  int    `json:"count"`
	Line   int    `json:"line"` // of the first such row
	Email  string `json:"email"`
	Old    string `json:"old"` // of the first: the account's value; blank: it has none
	New    string `json:"new"`
}

// Cause is what many rows have in common that are not claimed: the same reason, in the same column, for the
// same value.
type Cause struct {
	Reason Code   `json:"reason"`
	Hint   Hint   `json:"hint,omitempty"` // what in particular is wrong; blank: what the reason says
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"` // the cell, quoted, or what is wrong with it, as in a blank; nothing: it is blank
	Count  int    `json:"count"`
	Lines  []int  `json:"lines"` // the first few
}

// Tally counts rows. The outcomes add up to Rows.
type Tally struct {
	Rows     int             `json:"rows"`
	Outcomes map[Outcome]int `json:"outcomes,omitempty"`
	Reasons  map[Code]int    `json:"reasons,omitempty"`  // each row's first reason
	Warnings map[Code]int    `json:"warnings,omitempty"` // occurrences, without detail; those of ready rows apart:
	Foreseen map[Code]int    `json:"foreseen,omitempty"` // they come true only where the row is claimed
	// Edits are cells that change an account, by column (R17); those of ready rows apart: they are made only
	// where the row is claimed.
	Edits         map[string]int `json:"edits,omitempty"`
	ForeseenEdits map[string]int `json:"foreseen_edits,omitempty"`
}

// Import is a job: one run over one file. life.go tells how it lives.
type Import struct {
	ID               int64
	File             string // as named by the user
	SHA256           string // of the file's bytes, in hex; empty until planned
	OrganizationID   string // the claiming one
	State            ImportState
	Reason           Code // why rows were not attempted; empty where all were
	AllOrNothing     bool
	ActivationEmails bool      // send activation mails for claims that join at once (R18)
	Planned          bool      // its file was read to the end, and there is a Plan
	Plan             []byte    // what was learnt while reading, the pipeline's own encoding
	Options          []byte    // how the file was to be read, as JSON; nil: nothing was said
	CreatedBy        string    // who started it; as in terminal:root
	RequestKey       string    // of the request that made it, which may be repeated; blank: it had none
	RequestDigest    []byte    // of what that request said, by which another one with its key is known
	Notify           []string  // addresses that are told when it waits, stops or has ended
	Version          string    // of the program that planned it
	ConsentedAt      time.Time // zero: nobody has agreed yet (R13)
	ConsentedBy      string    // who agreed; blank: nobody said
	EditsAccepted    bool      // who agreed accepts that many accounts get another name (R17)
	CancelRequested  bool      // whoever works on it is to stop
	StartedAt        time.Time
	FinishedAt       time.Time // zero: not ended
	RowsRemoved      bool      // file and rows are gone, by age

	// Attended says that a person at a terminal drives it: where that ends, it waits for one. Else any
	// process goes on with it.
	Attended bool
	Runner   string // names the process that works on it, or did last; blank: it was handed back, and nobody has taken it
	Epoch    int64  // grows with every change of hands
	// LeaseUntil is until when the runner is waited for, or, attended, one to come; by the database's clock.
	// Zero: nobody is.
	LeaseUntil time.Time

	// OwnFrom and OwnTo are stamps of the database: from the one to the other, nobody but this import has
	// changed what a rule looks at. 0: it has changed nothing.
	OwnFrom, OwnTo int64

	// Tally adds up the chunks: what became of those that are done, what is planned for the others. Rows that
	// wait for their turn are Ready.
	Tally Tally
}

// Summary is one import, or one validation, as a whole.
type Summary struct {
	ID             string         `json:"id"`
	File           string         `json:"file"`
	SHA256         string         `json:"sha256"`
	Organization   string         `json:"organization"`
	State          ImportState    `json:"state"`
	DryRun         bool           `json:"dry_run"`
	Rows           int            `json:"rows"`
	Ready          int            `json:"ready"`
	Claimed        int            `json:"claimed"`
	Unchanged      int            `json:"unchanged"`
	Skipped        int            `json:"skipped"`
	Invalid        int            `json:"invalid"`
	Ineligible     int            `json:"ineligible"`
	Failed         int            `json:"failed"`
	NotAttempted   int            `json:"not_attempted"`
	Warnings       map[Code]int   `json:"warnings"`
	Reasons        map[Code]int   `json:"reasons"`
	Edits          map[string]int `json:"edits"`
	Repairs        map[Repair]int `json:"repairs"`
	UnknownColumns []string       `json:"unknown_columns"`
	StartedAt      *time.Time     `json:"started_at"`
	FinishedAt     *time.Time     `json:"finished_at"`
}

// Repair is something irregular in a file that was read all the same.
type Repair string

// The repairs. Those of the file as a whole are counted once, the others per line, row, header or cell.
const (
	RepairBOM              Repair = "bom"               // once
	RepairUTF16            Repair = "utf16"             // once
	RepairWindows1252      Repair = "windows1252"       // once
	RepairEncoding         Repair = "encoding"          // once: read as the user said
	RepairMojibake         Repair = "mojibake"          // cells
	RepairDelimiter        Repair = "delimiter"         // once
	RepairPreamble         Repair = "preamble"          // lines above the header
	RepairHeaderCleaned    Repair = "header_cleaned"    // headers
	RepairHeaderRepeated   Repair = "header_repeated"   // rows
	RepairEndMark          Repair = "end_mark"          // once
	RepairBlankRow         Repair = "blank_row"         // rows
	RepairCellsMissing     Repair = "cells_missing"     // rows
	RepairCellsSurplus     Repair = "cells_surplus"     // rows
	RepairBlanksTrimmed    Repair = "blanks_trimmed"    // cells
	RepairBooleanWords     Repair = "boolean_words"     // cells
	RepairTextFormula      Repair = "text_formula"      // cells
	RepairPhoneSpelling    Repair = "phone_spelling"    // cells
	RepairLanguageSpelling Repair = "language_spelling" // cells
	RepairHiddenSheet      Repair = "hidden_sheet"      // once: of a workbook
	RepairHiddenRow        Repair = "hidden_row"        // rows
	RepairHiddenColumn     Repair = "hidden_column"     // columns
	RepairMergedCells      Repair = "merged_cells"      // areas
)

// Repairs lists every repair, in the order in which people are told.
var Repairs = []Repair{
	RepairBOM, RepairUTF16, RepairWindows1252, RepairEncoding, RepairMojibake, RepairDelimiter, RepairPreamble, RepairHeaderCleaned,
	RepairHeaderRepeated, RepairEndMark, RepairBlankRow, RepairCellsMissing, RepairCellsSurplus, RepairBlanksTrimmed, RepairBooleanWords,
	RepairTextFormula, RepairPhoneSpelling, RepairLanguageSpelling, RepairHiddenSheet, RepairHiddenRow, RepairHiddenColumn,
	RepairMergedCells,
}

// Add counts other's rows too.
func (t *Tally) Add(other Tally) {
	t.Rows += other.Rows
	addCounts(&t.Outcomes, other.Outcomes)
	addCounts(&t.Reasons, other.Reasons)
	addCounts(&t.Warnings, other.Warnings)
	addCounts(&t.Foreseen, other.Foreseen)
	addCounts(&t.Edits, other.Edits)
	addCounts(&t.ForeseenEdits, other.ForeseenEdits)
}

// Count counts n rows with the same outcome, reasons, of which only the first counts, and warnings.
func (t *Tally) Count(n int, outcome Outcome, reasons []Code, warnings []string) {
	t.Rows += n
	increase(&t.Outcomes, outcome, n)
	if len(reasons) > 0 {
		increase(&t.Reasons, reasons[0], n)
	}
	counts := &t.Warnings
	if outcome == Ready {
		counts = &t.Foreseen
	}
	for _, warning := range warnings {
		code, _, _ := strings.Cut(warning, ":")
		increase(counts, Code(code), n)
	}
}

// CountEdit counts a cell that changes an account, of a row with this outcome.
func (t *Tally) CountEdit(outcome Outcome, column string) {
	if outcome == Ready {
		increase(&t.ForeseenEdits, column, 1)
		return
	}
	increase(&t.Edits, column, 1)
}

func increase[K comparable](counts *map[K]int, key K, n int) {
	if *counts == nil {
		*counts = map[K]int{}
	}
	(*counts)[key] += n
}

func addCounts[K comparable](counts *map[K]int, more map[K]int) {
	if *counts == nil && len(more) > 0 {
		*counts = make(map[K]int, len(more))
	}
	for key, n := range more {
		(*counts)[key] += n
	}
}

// Complete returns the result as it is written in JSON: with empty lists instead of none.
func (r Result) Complete() Result {
	if r.Reasons == nil {
		r.Reasons = []Code{}
	}
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	if r.Licenses == nil {
		r.Licenses = []string{}
	}
	if r.Edits == nil {
		r.Edits = Edits{}
	}
	return r
}
